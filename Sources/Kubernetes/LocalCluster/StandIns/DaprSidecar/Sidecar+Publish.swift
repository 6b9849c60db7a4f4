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
            source: pod.appID, pubsub: pubsub, topic: topic,
            trace: TraceContext(parent: request.headers[.traceparent]))
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
                messages.append(try entry.message(envelope, of: request.body, metadata))
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
    /// With its outermost members.
    let event: JSONOutline
    let contentType: String
    let metadata: [String: String]

    static func read(_ body: [UInt8]) throws -> [BulkEntry] {
        guard case .array(let entries) = try JSONOutline(of: body, levels: 3).content else {
            throw Unreadable(description: "the body is no array of entries")
        }
        func value(_ outline: JSONOutline) throws -> JSON { try JSON(parsing: body[outline.range]) }
        var ids: Set<String> = []
        return try entries.map { entry in
            guard let id = try entry["entryId"].map(value)?.string, !id.isEmpty, ids.insert(id).inserted else {
                throw Unreadable(description: "each entry needs an entryId of its own")
            }
            guard let event = entry["event"] else { throw Unreadable(description: "entry \(id) has no event") }
            var metadata: [String: String] = [:]
            if case .object(let members) = entry["metadata"]?.content {
                for member in members {
                    let given = try value(member.value)
                    metadata[member.name] = given.string ?? given.text
                }
            }
            let contentType = try entry["contentType"].map(value)?.string ?? "text/plain"
            return BulkEntry(id: id, event: event, contentType: contentType, metadata: metadata)
        }
    }

    /// `contentType` must fit what `event` is.
    func message(
        _ envelope: Envelope, of body: [UInt8], _ metadata: [String: String]
    ) throws(Envelope.Refusal) -> TopicMessage {
        if Envelope.isJSON(contentType) {
            return try envelope.message(of: event, in: body, contentType: contentType, metadata: metadata)
        }
        guard let text = try? JSON(parsing: body[event.range]).string else {
            throw .init(message: "an event of type \(contentType) is a string")
        }
        guard contentType.prefix(while: { $0 != ";" }) == "application/octet-stream" else {
            return try envelope.message(Array(text.utf8), contentType: contentType, metadata: metadata)
        }
        guard let data = Data(base64Encoded: text) else { throw .init(message: "the event is not base64") }
        return try envelope.message(Array(data), contentType: contentType, metadata: metadata)
    }
}

extension HTTPField.Name {
    fileprivate static let traceparent = HTTPField.Name("traceparent") ?? .date
}
