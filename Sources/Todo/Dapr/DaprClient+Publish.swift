internal import FoundationEssentials
internal import HTTPTypes
public import StructuredData

/// An event on its way to a topic.
public struct OutgoingEvent: Sendable, Hashable {
    /// What of a CloudEvent's body the sidecar makes of the bytes: `application/cloudevents+json` is taken as the whole
    /// event, `application/json` as its data.
    public var contentType: String
    /// JSON where `contentType` says so.
    public var body: [UInt8]
    /// Order is kept among events with the same key; nil leaves the partition to the broker.
    public var partitionKey: String?
    /// `ttlInSeconds`, `rawPayload` and what else the broker understands.
    public var metadata: [String: String]

    public init(
        body: [UInt8], contentType: String = OutgoingEvent.cloudEvent, partitionKey: String? = nil,
        metadata: [String: String] = [:]
    ) {
        self.body = body
        self.contentType = contentType
        self.partitionKey = partitionKey
        self.metadata = metadata
    }

    /// A CloudEvent in JSON.
    public init(_ cloudEvent: JSON, partitionKey: String? = nil) {
        self.init(body: cloudEvent.encoded(), partitionKey: partitionKey)
    }

    public static let cloudEvent = "application/cloudevents+json"

    var allMetadata: [String: String] {
        var result = metadata
        if let partitionKey { result["partitionKey"] = partitionKey }
        return result
    }

    fileprivate var isJSON: Bool {
        let type = contentType.prefix { $0 != ";" }
        return type == "application/json" || type.hasSuffix("+json")
    }
}

/// An entry of a bulk publish that the broker did not take.
public struct RejectedEvent: Sendable, Hashable {
    /// Its place among the events that were given.
    public let index: Int
    public let reason: String
}

extension DaprClient {
    /// Returns once the broker has the event (contract section 3).
    public func publish(_ event: OutgoingEvent, to topic: String, of pubsub: String) async throws(DaprError) {
        let pairs = event.allMetadata.sorted { $0.key < $1.key }.map { key, value in
            "metadata.\(PercentEncoding.encode(key))=\(PercentEncoding.encode(value))"
        }
        let query = pairs.isEmpty ? "" : "?\(pairs.joined(separator: "&"))"
        let path = "/v1.0/publish/\(PercentEncoding.encode(pubsub))/\(PercentEncoding.encode(topic))\(query)"
        _ = try await call(.post, path, event.body, type: event.contentType)
    }

    /// Publishes the events in their order, in one request. Each partition key goes with its entry, for metadata of the
    /// request would override it.
    /// - Returns: those that the broker did not take; it has all the others.
    /// - Throws: when none was taken, or it is not known which.
    public func publish(
        _ events: [OutgoingEvent], to topic: String, of pubsub: String
    ) async throws(DaprError) -> [RejectedEvent] {
        guard !events.isEmpty else { return [] }
        let path = "/v1.0/publish/bulk/\(PercentEncoding.encode(pubsub))/\(PercentEncoding.encode(topic))"
        let answer = try await exchange(.post, path, Self.bulkBody(events))
        if (200..<300).contains(answer.status) { return [] }
        let failed = (try? answer.json())?["failedEntries"]?.array ?? []
        guard answer.status == 500, !failed.isEmpty else { throw DaprError(answer) }
        return try failed.map { entry throws(DaprError) in
            guard let id = entry["entryId"]?.string, let index = Int(id), events.indices.contains(index) else {
                throw .malformed("the sidecar rejects an entry that was not sent: \(entry)")
            }
            return RejectedEvent(index: index, reason: entry["error"]?.string ?? "no reason given")
        }
    }

    /// The events' bytes are copied as they are: they are JSON already.
    static func bulkBody(_ events: [OutgoingEvent]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(events.reduce(2) { $0 + $1.body.count + 160 })
        for (index, event) in events.enumerated() {
            bytes += Array((index == 0 ? "[" : ",").utf8)
            bytes += Array("{\"entryId\":\"\(index)\",\"contentType\":".utf8)
            JSON.string(event.contentType).write(into: &bytes)
            let metadata = event.allMetadata
            if !metadata.isEmpty {
                bytes += Array(",\"metadata\":".utf8)
                JSON(metadata).write(into: &bytes)
            }
            bytes += Array(",\"event\":".utf8)
            if event.isJSON {
                bytes += event.body
            } else if event.contentType.hasPrefix("text/") {
                JSON.string(String(decoding: event.body, as: UTF8.self)).write(into: &bytes)
            } else {
                JSON.string(Data(event.body).base64EncodedString()).write(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }
}
