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

    /// Publishes the events in their order: in one request or, where they have more than a megabyte, in several, one after
    /// another, and in smaller ones where the sidecar takes no more (413). Each partition key goes with its entry, for
    /// metadata of the request would override it. Once an event was not taken, those with its key wait: none of them goes
    /// in a later request.
    /// - Returns: those that the broker did not take, or may not have, in order; it has all the others.
    /// - Throws: when none was taken, or it is not known which.
    public func publish(
        _ events: [OutgoingEvent], to topic: String, of pubsub: String
    ) async throws(DaprError) -> [RejectedEvent] {
        let path = "/v1.0/publish/bulk/\(PercentEncoding.encode(pubsub))/\(PercentEncoding.encode(topic))"
        var rejected: [Int: String] = [:]
        var hasTaken = false
        // The next one is the last.
        var requests = Array(Self.requests(events).reversed())
        while let all = requests.popLast() {
            let waiting = Set(rejected.keys.lazy.compactMap { events[$0].partitionKey })
            let request = all.filter { index in !(events[index].partitionKey.map(waiting.contains) ?? false) }
            do throws(DaprError) {
                for event in try await publish(request, of: events, path) { rejected[event.index] = event.reason }
                for index in all where !request.contains(index) {
                    rejected[index] = "waits for an earlier one with its key"
                }
                hasTaken = hasTaken || request.contains { rejected[$0] == nil }
            } catch  where error.isTooLarge && request.count > 1 {
                requests += [Array(all.suffix(from: all.count / 2)), Array(all.prefix(all.count / 2))]
            } catch  where error.isTooLarge {
                for index in all { rejected[index] = "\(error)" }
            } catch {
                guard hasTaken else { throw error }
                for index in all + requests.joined() { rejected[index] = "\(error)" }
                requests = []
            }
        }
        return rejected.sorted { $0.key < $1.key }.map { RejectedEvent(index: $0.key, reason: $0.value) }
    }

    /// One request with the events that have these places.
    private func publish(
        _ indices: [Int], of events: [OutgoingEvent], _ path: String
    ) async throws(DaprError) -> [RejectedEvent] {
        guard !indices.isEmpty else { return [] }
        let answer = try await exchange(.post, path, Self.bulkBody(indices.map { ($0, events[$0]) }))
        if (200..<300).contains(answer.status) { return [] }
        let failed = (try? answer.json())?["failedEntries"]?.array ?? []
        guard answer.status == 500, !failed.isEmpty else { throw DaprError(answer) }
        return try failed.map { entry throws(DaprError) in
            guard let id = entry["entryId"]?.string, let index = Int(id), indices.contains(index) else {
                throw .malformed("the sidecar rejects an entry that was not sent: \(entry)")
            }
            return RejectedEvent(index: index, reason: entry["error"]?.string ?? "no reason given")
        }
    }

    /// Of one request. A sidecar takes 4 MiB unless it is told otherwise (`dapr.io/max-body-size`, contract section 2).
    private static let requestBytes = 1 << 20
    /// Of what an entry has besides its event.
    private static let entryBytes = 160

    /// The places of the events of each request: as many as fit, and at least one.
    private static func requests(_ events: [OutgoingEvent]) -> [[Int]] {
        var requests: [[Int]] = []
        var room = 0
        for (index, event) in events.enumerated() {
            let size = event.body.count + entryBytes
            if size > room {
                requests.append([])
                room = requestBytes
            }
            requests[requests.count - 1].append(index)
            room -= size
        }
        return requests
    }

    /// The events' bytes are copied as they are: they are JSON already.
    private static func bulkBody(_ entries: [(id: Int, event: OutgoingEvent)]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(entries.reduce(2) { $0 + $1.event.body.count + entryBytes })
        for (index, event) in entries {
            bytes += Array((bytes.isEmpty ? "[" : ",").utf8)
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
