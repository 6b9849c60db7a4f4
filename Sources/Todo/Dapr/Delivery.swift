public import HTTPTypes
public import StructuredData

/// An event as the sidecar delivers it.
public struct DeliveredEvent: Sendable, Hashable {
    /// The CloudEvent; of a subscription with `rawPayload` in bulk, the payload in base64.
    public let event: JSON
    /// What came with it: the broker's headers (`__key`, `__partition`, `__offset`, …) and its metadata.
    public let metadata: [String: String]

    public init(event: JSON, metadata: [String: String] = [:]) {
        self.event = event
        self.metadata = metadata
    }
}

/// What became of an event (contract section 3).
public enum DeliveryStatus: String, Sendable, Hashable {
    case success = "SUCCESS"
    /// It is to come again, later.
    case retry = "RETRY"
    /// It will never do: it goes to the dead letter topic, if there is one.
    case drop = "DROP"
}

/// The body of one call by the sidecar: one event or a batch.
public enum Delivery: Sendable, Hashable {
    case single(DeliveredEvent)
    case bulk([Entry])

    public struct Entry: Sendable, Hashable {
        /// Names it in the answer.
        public let id: String
        public let event: DeliveredEvent
    }

    /// - Throws: `DeliveryError` when the body is neither an event nor a batch.
    public init(body: [UInt8], headers: HTTPFields = [:]) throws(DeliveryError) {
        let json: JSON
        do { json = try JSON(parsing: body) } catch {
            throw DeliveryError(description: "the delivery is not JSON: \(error)")
        }
        guard json.object != nil else { throw DeliveryError(description: "the delivery is no JSON object") }
        guard json["type"]?.string == Self.bulkType, let entries = json["entries"]?.array else {
            self = .single(DeliveredEvent(event: json, metadata: Self.brokerHeaders(headers)))
            return
        }
        self = .bulk(
            try entries.map { entry throws(DeliveryError) in
                guard let id = entry["entryId"]?.string, let event = entry["event"] else {
                    throw DeliveryError(description: "an entry of the delivery lacks entryId or event")
                }
                var metadata: [String: String] = [:]
                for (key, value) in entry["metadata"]?.object ?? [:] { metadata[key] = value.string }
                return Entry(id: id, event: DeliveredEvent(event: event, metadata: metadata))
            })
    }

    private static let bulkType = "com.dapr.event.sent.bulk"

    /// Go writes header names its own way; the broker's are told apart by their underscores.
    private static func brokerHeaders(_ headers: HTTPFields) -> [String: String] {
        var result: [String: String] = [:]
        for field in headers where field.name.canonicalName.hasPrefix("__") {
            result[field.name.canonicalName] = field.value
        }
        return result
    }

    public var events: [DeliveredEvent] {
        switch self {
        case .single(let event): [event]
        case .bulk(let entries): entries.map(\.event)
        }
    }

    /// The body of the answer, sent with 200. `statuses` are those of `events`; one that is missing is RETRY.
    public func answer(_ statuses: [DeliveryStatus]) -> JSON {
        func status(_ index: Int) -> JSON {
            .string((statuses.indices.contains(index) ? statuses[index] : .retry).rawValue)
        }
        switch self {
        case .single: return ["status": status(0)]
        case .bulk(let entries):
            return [
                "statuses": .array(
                    entries.indices.map { ["entryId": .string(entries[$0].id), "status": status($0)] })
            ]
        }
    }
}

/// Why a delivery cannot be read.
public struct DeliveryError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String
}
