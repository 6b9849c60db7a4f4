internal import HTTPTypes
internal import StructuredData
internal import TopicLog

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

extension Sidecar {
    /// `publish/{pubsub}/{topic}` and `publish/bulk/{pubsub}/{topic}`: a pubsub must not be named `bulk`.
    func publish(_ request: SidecarRequest, _ path: [String]) async -> SidecarAnswer {
        let isBulk = path.first == "bulk"
        let names = isBulk ? Array(path.dropFirst()) : path
        guard let pubsub = names.first, let component = component(pubsub, .pubsub) else {
            return .error(404, "ERR_PUBSUB_NOT_FOUND", "pubsub \(names.first ?? "") is not found")
        }
        let topic = names.dropFirst().joined(separator: "/")
        guard !topic.isEmpty else { return .error(404, "ERR_TOPIC_NAME_EMPTY", "topic is empty in pubsub \(pubsub)") }
        guard component.allows(.publishing, to: topic, by: pod.appID) else {
            return .error(403, "ERR_PUBSUB_FORBIDDEN", "topic \(topic) is not allowed for app id \(pod.appID)")
        }
        for name in ["rawPayload", "ttlInSeconds"] {
            if let value = request.metadata[name], name == "rawPayload" ? Bool(value) == nil : Int(value) == nil {
                return .error(400, "ERR_PUBSUB_REQUEST_METADATA", "\(name) is \(value)")
            }
        }
        let envelope = Envelope(
            source: pod.appID, pubsub: pubsub, topic: topic, traceparent: request.headers[.traceparent])
        let logTopic = component.logTopic(topic)
        return isBulk
            ? await publishAll(request, envelope, logTopic) : await publishOne(request, envelope, logTopic)
    }

    private func publishOne(
        _ request: SidecarRequest, _ envelope: Envelope, _ logTopic: String
    ) async -> SidecarAnswer {
        do {
            let message = try envelope.message(
                request.body, contentType: request.headers[.contentType] ?? "", metadata: request.metadata)
            try await services.topics.publish([message], to: logTopic)
            return .done
        } catch let refusal as Envelope.Refusal {
            return .error(400, "ERR_PUBSUB_CLOUD_EVENTS_SER", refusal.message)
        } catch {
            return .error(500, "ERR_PUBSUB_PUBLISH_MESSAGE", "\(error)")
        }
    }

    private func publishAll(
        _ request: SidecarRequest, _ envelope: Envelope, _ logTopic: String
    ) async -> SidecarAnswer {
        let entries: [BulkEntry]
        do { entries = try BulkEntry.read(request.body) } catch {
            return .error(400, "ERR_PUBSUB_EVENTS_SER", "\(error)")
        }
        var messages: [TopicMessage] = []
        messages.reserveCapacity(entries.count)
        var failed: [JSON] = []
        for entry in entries {
            do throws(Envelope.Refusal) {
                // What the request says overrides what its entries say.
                let metadata = entry.metadata.merging(request.metadata) { $1 }
                messages.append(try entry.message(envelope, metadata))
            } catch { failed.append(["entryId": .string(entry.id), "error": .string(error.message)]) }
        }
        do { try await services.topics.publish(messages, to: logTopic) } catch {
            failed = entries.map { ["entryId": .string($0.id), "error": .string("\(error)")] }
        }
        guard !failed.isEmpty else { return .done }
        return .json(
            ["failedEntries": .array(failed), "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE"], status: 500)
    }
}

/// An entry of a bulk publish.
private struct BulkEntry {
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    let id: String
    let event: JSON
    let contentType: String
    let metadata: [String: String]

    static func read(_ body: [UInt8]) throws -> [BulkEntry] {
        guard let array = try JSON(parsing: body).array else {
            throw Unreadable(description: "the body is no array of entries")
        }
        var ids: Set<String> = []
        return try array.map { json in
            guard let id = json["entryId"]?.string, !id.isEmpty, ids.insert(id).inserted else {
                throw Unreadable(description: "each entry needs an entryId of its own")
            }
            guard let event = json["event"] else { throw Unreadable(description: "entry \(id) has no event") }
            var metadata: [String: String] = [:]
            for (key, value) in json["metadata"]?.object ?? [:] { metadata[key] = value.string ?? value.text }
            return BulkEntry(
                id: id, event: event, contentType: json["contentType"]?.string ?? "text/plain", metadata: metadata)
        }
    }

    /// `contentType` must fit what `event` is.
    func message(_ envelope: Envelope, _ metadata: [String: String]) throws(Envelope.Refusal) -> TopicMessage {
        let base = contentType.prefix { $0 != ";" }
        if base == "application/json" || base.hasSuffix("+json") {
            let raw = metadata["rawPayload"] == "true" ? event.encoded() : []
            return try envelope.message(raw, contentType: contentType, parsed: event, metadata: metadata)
        }
        guard let text = event.string else { throw .init(message: "an event of type \(contentType) is a string") }
        guard base == "application/octet-stream" else {
            return try envelope.message(Array(text.utf8), contentType: contentType, metadata: metadata)
        }
        guard let data = Data(base64Encoded: text) else { throw .init(message: "the event is not base64") }
        return try envelope.message(Array(data), contentType: contentType, metadata: metadata)
    }
}

extension HTTPField.Name {
    fileprivate static let traceparent = HTTPField.Name("traceparent") ?? .date
}
