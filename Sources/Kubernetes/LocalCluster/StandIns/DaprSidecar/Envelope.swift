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
    /// Of the request: each of its events is a step of its own that follows.
    let trace: TraceContext

    /// Why a publish is refused.
    struct Refusal: Error {
        let message: String
    }

    func message(
        _ body: [UInt8], contentType: String, metadata: [String: String]
    ) throws(Refusal) -> TopicMessage {
        guard Self.isJSON(contentType), metadata["rawPayload"] != "true" else {
            return message(of: body, contentType: contentType, metadata: metadata)
        }
        let outline: JSONOutline
        do { outline = try JSONOutline(of: body, levels: 1) } catch {
            throw Refusal(message: "the body is not JSON: \(error)")
        }
        return try message(of: outline, in: body, contentType: contentType, metadata: metadata)
    }

    /// `application/json` and all that is written in it.
    static func isJSON(_ contentType: String) -> Bool {
        let base = contentType.prefix { $0 != ";" }
        return base == "application/json" || base.hasSuffix("+json")
    }

    /// - Parameters:
    ///   - event: what is JSON, with its outermost members.
    ///   - bytes: which the outline is of.
    func message(
        of event: JSONOutline, in bytes: [UInt8], contentType: String, metadata: [String: String]
    ) throws(Refusal) -> TopicMessage {
        if metadata["rawPayload"] == "true" { return message(Array(bytes[event.range]), metadata) }
        var fields: EventFields
        if contentType.prefix(while: { $0 != ";" }) == "application/cloudevents+json" {
            guard case .object(let members) = event.content else {
                throw Refusal(message: "the body is no CloudEvent in JSON")
            }
            fields = EventFields(members, of: bytes)
        } else {
            fields = newEvent(contentType)
            fields.set("data", json: bytes[event.range])
        }
        complete(&fields, metadata)
        return message(fields.encoded(), metadata)
    }

    /// Of what is no JSON.
    private func message(of body: [UInt8], contentType: String, metadata: [String: String]) -> TopicMessage {
        if metadata["rawPayload"] == "true" { return message(body, metadata) }
        let type = contentType.isEmpty ? "text/plain" : contentType
        var fields = newEvent(type)
        if type.prefix(while: { $0 != ";" }) == "application/octet-stream" {
            fields.set("data_base64", Data(body).base64EncodedString())
        } else {
            fields.set("data", String(decoding: body, as: UTF8.self))
        }
        complete(&fields, metadata)
        return message(fields.encoded(), metadata)
    }

    private func newEvent(_ contentType: String) -> EventFields {
        var fields = EventFields()
        fields.set("datacontenttype", contentType)
        fields.set("id", UUID().uuidString.lowercased())
        return fields
    }

    /// Overwrites what is the sidecar's to say, and fills in what is missing; never the `id`.
    private func complete(_ fields: inout EventFields, _ metadata: [String: String]) {
        for name in ["id", "source", "type", "subject", "traceparent"] {
            if let value = metadata["cloudevent.\(name)"] { fields.set(name, value) }
        }
        fields.set("topic", topic)
        fields.set("pubsubname", pubsub)
        fields.fill("source", source)
        fields.fill("type", "com.dapr.event.sent")
        fields.fill("specversion", "1.0")
        fields.fill("time", Timestamp.now())
        fields.fill("traceparent", trace.child())
        if !fields.contains("traceid"), let trace = fields.string("traceparent") { fields.set("traceid", trace) }
        fields.fill("tracestate", "")
        if let seconds = metadata["ttlInSeconds"].flatMap({ Int($0) }) {
            let end = Int(TopicLog.wallClock() / 1000) + seconds
            fields.set("expiration", Timestamp.text(wholeSeconds: end))
        }
    }

    private func message(_ bytes: [UInt8], _ metadata: [String: String]) -> TopicMessage {
        TopicMessage(
            key: metadata["partitionKey"], headers: metadata, value: bytes,
            partition: metadata["partitionNumber"].flatMap { Int($0) })
    }
}
