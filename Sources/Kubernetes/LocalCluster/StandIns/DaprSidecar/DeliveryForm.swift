internal import HTTPTypes
internal import StructuredData
internal import TopicLog

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The bodies and headers of deliveries (contract section 3).
struct DeliveryForm: Sendable {
    let subscription: SubscriptionSpec

    func single(_ message: StoredMessage) -> [UInt8] {
        guard subscription.isRaw else { return message.message.value }
        let event: JSON = [
            "id": .string(UUID().uuidString.lowercased()), "specversion": "1.0", "type": "com.dapr.event.sent",
            "datacontenttype": "application/octet-stream", "topic": .string(subscription.topic),
            "pubsubname": .string(subscription.pubsub), "data_base64": .string(base64(message)),
        ]
        return event.encoded()
    }

    func headers(_ message: StoredMessage) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in metadata(message) + [("pubsubName", subscription.pubsub)] {
            if let name = HTTPField.Name(name), HTTPField.isValidValue(value) { fields[name] = value }
        }
        return fields
    }

    /// The events' bytes are copied as they are: they are JSON already.
    func bulk(_ messages: [StoredMessage]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(messages.reduce(300) { $0 + $1.message.value.count + 300 })
        let head: JSON = [
            "id": .string(UUID().uuidString.lowercased()), "type": "com.dapr.event.sent.bulk",
            "topic": .string(subscription.topic), "pubsubname": .string(subscription.pubsub), "metadata": [:],
        ]
        head.write(into: &bytes)
        bytes.removeLast()
        bytes += Array(#","entries":["#.utf8)
        for (index, message) in messages.enumerated() {
            bytes += Array("\(index == 0 ? "" : ","){\"entryId\":\"\(index)\",\"contentType\":".utf8)
            bytes += Array(
                subscription.isRaw ? "\"application/octet-stream\"".utf8 : "\"application/cloudevents+json\"".utf8)
            bytes += Array(",\"metadata\":".utf8)
            JSON.object(JSONObject(metadata(message).map { (key: $0.0, value: JSON.string($0.1)) })).write(into: &bytes)
            bytes += Array(",\"event\":".utf8)
            if subscription.isRaw {
                JSON.string(base64(message)).write(into: &bytes)
            } else {
                bytes += message.message.value
            }
            bytes.append(UInt8(ascii: "}"))
        }
        bytes += Array("]}".utf8)
        return bytes
    }

    private func base64(_ message: StoredMessage) -> String { Data(message.message.value).base64EncodedString() }

    private func metadata(_ message: StoredMessage) -> [(String, String)] {
        var result = [
            ("__topic", subscription.topic), ("__partition", String(message.partition)),
            ("__offset", String(message.offset)), ("__timestamp", String(message.milliseconds)),
        ]
        if let key = message.message.key { result.append(("__key", key)) }
        return result + message.message.headers.sorted { $0.key < $1.key }
    }
}

enum Expiry {
    /// Whether the message's `ttlInSeconds` has passed.
    static func isOver(_ message: StoredMessage, now: Int64) -> Bool {
        guard let seconds = message.message.headers["ttlInSeconds"].flatMap({ Int64($0) }), seconds > 0 else {
            return false
        }
        return Int64(message.milliseconds) + seconds * 1000 <= now
    }
}
