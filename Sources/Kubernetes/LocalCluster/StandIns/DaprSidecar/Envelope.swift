internal import Concurrency
internal import StructuredData
internal import TopicLog

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Makes of what an app publishes the message that goes into the topic: a CloudEvent (contract section 3).
struct Envelope {
    let source: String
    let pubsub: String
    let topic: String
    let traceparent: String?

    /// Why a publish is refused.
    struct Refusal: Error {
        let message: String
    }

    /// - Parameter event: already parsed where `contentType` is JSON, else nil.
    func message(
        _ body: [UInt8], contentType: String, parsed event: JSON? = nil, metadata: [String: String]
    ) throws(Refusal) -> TopicMessage {
        if metadata["rawPayload"] == "true" { return message(body, metadata) }
        let type = contentType.isEmpty ? "text/plain" : contentType
        let base = type.prefix { $0 != ";" }
        var fields: JSONObject
        if base == "application/cloudevents+json" {
            guard case .object(let own) = try Self.json(event, body) else {
                throw Refusal(message: "the body is no CloudEvent in JSON")
            }
            fields = own
        } else {
            fields = [
                "data": .null, "datacontenttype": .string(type), "id": .string(UUID().uuidString.lowercased()),
                "source": .string(source), "specversion": "1.0", "type": "com.dapr.event.sent",
            ]
            try addData(body, String(base), event, to: &fields)
        }
        complete(&fields, metadata)
        return message(JSON.object(fields).encoded(), metadata)
    }

    private static func json(_ event: JSON?, _ body: [UInt8]) throws(Refusal) -> JSON {
        if let event { return event }
        do { return try JSON(parsing: body) } catch { throw Refusal(message: "the body is not JSON: \(error)") }
    }

    private func addData(
        _ body: [UInt8], _ type: String, _ event: JSON?, to fields: inout JSONObject
    ) throws(Refusal) {
        if type == "application/json" || type.hasSuffix("+json") {
            fields["data"] = try Self.json(event, body)
        } else if type == "application/octet-stream" {
            fields["data"] = nil
            fields["data_base64"] = .string(Data(body).base64EncodedString())
        } else {
            fields["data"] = .string(String(decoding: body, as: UTF8.self))
        }
    }

    /// Overwrites what is the sidecar's to say, and fills in what is missing; never the `id`.
    private func complete(_ fields: inout JSONObject, _ metadata: [String: String]) {
        for name in ["id", "source", "type", "subject", "traceparent"] {
            if let value = metadata["cloudevent.\(name)"] { fields[name] = .string(value) }
        }
        fields["topic"] = .string(topic)
        fields["pubsubname"] = .string(pubsub)
        fields.fill("source", source)
        fields.fill("type", "com.dapr.event.sent")
        fields.fill("specversion", "1.0")
        fields.fill("time", Timestamp.now())
        if fields["traceparent"] == nil {
            fields["traceparent"] = .string(traceparent ?? Self.newTrace())
        }
        let trace = fields["traceparent"]?.string
        if let trace { fields.fill("traceid", trace) }
        fields.fill("tracestate", "")
        if let seconds = metadata["ttlInSeconds"].flatMap({ Int($0) }) {
            let end = Int(TopicLog.wallClock() / 1000) + seconds
            fields["expiration"] = .string(Timestamp.text(wholeSeconds: end))
        }
    }

    /// W3C trace context, not sampled.
    private static func newTrace() -> String {
        func hex(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return "00-\(hex(.random(in: 1...(.max))))\(hex(.random(in: 0...(.max))))-\(hex(.random(in: 1...(.max))))-00"
    }

    private func message(_ bytes: [UInt8], _ metadata: [String: String]) -> TopicMessage {
        TopicMessage(
            key: metadata["partitionKey"], headers: metadata, value: bytes,
            partition: metadata["partitionNumber"].flatMap { Int($0) })
    }
}

extension JSONObject {
    fileprivate mutating func fill(_ name: String, _ value: String) {
        if self[name] == nil { self[name] = .string(value) }
    }
}
