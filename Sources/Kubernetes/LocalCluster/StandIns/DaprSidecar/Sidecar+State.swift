internal import HTTPTypes
internal import StructuredData
internal import TopicLog

extension Sidecar {
    /// `state/{store}`, `state/{store}/transaction` and `state/{store}/{key}` (contract section 4).
    func state(_ request: SidecarRequest, _ path: [String]) async -> SidecarAnswer {
        guard let store = path.first, let component = component(store, .state) else {
            return .error(400, "ERR_STATE_STORE_NOT_FOUND", "state store \(path.first ?? "") is not found")
        }
        let key = path.dropFirst().joined(separator: "/")
        switch (request.method, key) {
        case (.post, ""), (.put, ""): return await save(request, component)
        case (.post, "transaction"), (.put, "transaction"): return await transact(request, component)
        case (.get, _) where !key.isEmpty:
            guard let value = services.states.value(component.stateKey(key, of: pod.appID)) else { return .done }
            return SidecarAnswer(
                status: 200, headers: [.contentType: "application/json", .eTag: String(value.version)],
                body: value.bytes)
        case (.delete, _) where !key.isEmpty:
            return await delete(component.stateKey(key, of: pod.appID), request)
        default: return .error(405, "ERR_METHOD_NOT_ALLOWED", "state knows POST, PUT, GET and DELETE")
        }
    }

    private struct BadRequest: Error {
        let message: String
    }

    private func delete(_ key: String, _ request: SidecarRequest) async -> SidecarAnswer {
        do throws(BadRequest) {
            let condition = try Self.condition(request.headers[.ifMatch], isFirstWrite: false)
            return await write([.delete(key: key, condition: condition)], conflict: 409)
        } catch { return .error(400, "ERR_STATE_DELETE", error.message) }
    }

    private func save(_ request: SidecarRequest, _ component: Component) async -> SidecarAnswer {
        do {
            guard let items = try JSON(parsing: request.body).array else {
                throw BadRequest(message: "the body is no array")
            }
            return await write(try items.map { try put($0, component) }, conflict: 409)
        } catch let error as BadRequest {
            return .error(400, "ERR_STATE_SAVE", error.message)
        } catch { return .error(400, "ERR_MALFORMED_REQUEST", "\(error)") }
    }

    private func transact(_ request: SidecarRequest, _ component: Component) async -> SidecarAnswer {
        do {
            let operations = try JSON(parsing: request.body)["operations"]?.array ?? []
            let writes = try operations.map { operation -> StateLog.Write in
                guard let item = operation["request"] else { throw BadRequest(message: "an operation has no request") }
                switch operation["operation"]?.string {
                case "upsert": return try put(item, component)
                case "delete":
                    let condition = try Self.condition(item["etag"]?.string, isFirstWrite: false)
                    return .delete(key: try key(item, component), condition: condition)
                default: throw BadRequest(message: "an operation is neither upsert nor delete")
                }
            }
            return await write(writes, conflict: 500)
        } catch let error as BadRequest {
            return .error(400, "ERR_STATE_TRANSACTION", error.message)
        } catch { return .error(400, "ERR_MALFORMED_REQUEST", "\(error)") }
    }

    private func key(_ item: JSON, _ component: Component) throws(BadRequest) -> String {
        guard let key = item["key"]?.string, !key.isEmpty else { throw BadRequest(message: "an item has no key") }
        guard !key.contains("||") else { throw BadRequest(message: "the key \(key) contains ||") }
        return component.stateKey(key, of: pod.appID)
    }

    private func put(_ item: JSON, _ component: Component) throws(BadRequest) -> StateLog.Write {
        let isFirstWrite = item.at("options", "concurrency")?.string == "first-write"
        let condition = try Self.condition(item["etag"]?.string, isFirstWrite: isFirstWrite)
        var expires: Int64?
        if let text = item.at("metadata", "ttlInSeconds")?.string {
            guard let seconds = Int64(text) else { throw BadRequest(message: "ttlInSeconds is \(text)") }
            expires = seconds > 0 ? TopicLog.wallClock() + seconds * 1000 : nil
        }
        return .put(
            key: try key(item, component), value: (item["value"] ?? .null).encoded(), expires: expires,
            condition: condition)
    }

    private static func condition(
        _ etag: String?, isFirstWrite: Bool
    ) throws(BadRequest) -> StateLog.Condition {
        guard let etag, !etag.isEmpty else { return isFirstWrite ? .absent : .none }
        guard let version = Int(etag) else { throw BadRequest(message: "the etag \(etag) is none of this store") }
        return .version(version)
    }

    private func write(_ writes: [StateLog.Write], conflict: Int) async -> SidecarAnswer {
        do throws(StateLog.Failure) {
            try await services.states.write(writes)
            return .done
        } catch {
            switch error {
            case .conflict(let key):
                return .error(conflict, "ERR_STATE_SAVE", "possible etag mismatch: \(key) is not what was expected")
            case .log(let error): return .error(500, "ERR_STATE_SAVE", "\(error)")
            }
        }
    }
}
