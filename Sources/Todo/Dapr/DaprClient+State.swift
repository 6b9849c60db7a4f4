internal import HTTPTypes
public import StructuredData

/// A value of a state store, as it was read.
public struct StateValue: Sendable, Hashable {
    public let value: JSON
    /// Names this version of it.
    public let etag: String?
}

/// One write to a state store.
public enum StateWrite: Sendable, Hashable {
    /// With an `etag` only if that is still the stored version. `timeToLive` in whole seconds.
    case put(key: String, value: JSON, etag: String? = nil, timeToLive: Int? = nil)
    case delete(key: String, etag: String? = nil)

    fileprivate var request: JSON {
        var request = JSONObject()
        switch self {
        case .put(let key, let value, let etag, let timeToLive):
            request["key"] = .string(key)
            request["value"] = value
            if let timeToLive { request["metadata"] = ["ttlInSeconds": .string(String(timeToLive))] }
            Self.add(etag, to: &request)
        case .delete(let key, let etag):
            request["key"] = .string(key)
            Self.add(etag, to: &request)
        }
        return .object(request)
    }

    private static func add(_ etag: String?, to request: inout JSONObject) {
        guard let etag else { return }
        request["etag"] = .string(etag)
        request["options"] = ["concurrency": "first-write"]
    }
}

extension DaprClient {
    /// Nil when the store has no such key.
    public func state(_ key: String, in store: String) async throws(DaprError) -> StateValue? {
        let answer = try await call(.get, "\(Self.path(store))/\(PercentEncoding.encode(key))")
        guard answer.status != 204 else { return nil }
        return StateValue(value: try answer.json(), etag: answer.headers[.eTag])
    }

    /// - Throws: `isEtagMismatch` when another writer was first.
    public func setState(
        _ key: String, to value: JSON, etag: String? = nil, timeToLive: Int? = nil, in store: String
    ) async throws(DaprError) {
        let write = StateWrite.put(key: key, value: value, etag: etag, timeToLive: timeToLive)
        _ = try await call(.post, Self.path(store), JSON.array([write.request]).encoded())
    }

    /// - Throws: `isEtagMismatch` when another writer was first.
    public func deleteState(_ key: String, etag: String? = nil, in store: String) async throws(DaprError) {
        var headers: HTTPFields = [:]
        headers[.ifMatch] = etag
        _ = try await call(.delete, "\(Self.path(store))/\(PercentEncoding.encode(key))", headers: headers)
    }

    /// All writes or none; an etag that does not match is a refusal with 500, as the contract has it.
    public func transact(_ writes: [StateWrite], in store: String) async throws(DaprError) {
        let operations = writes.map { write -> JSON in
            let isPut = if case .put = write { true } else { false }
            return ["operation": isPut ? "upsert" : "delete", "request": write.request]
        }
        let body: JSON = ["operations": .array(operations)]
        _ = try await call(.post, "\(Self.path(store))/transaction", body.encoded())
    }

    private static func path(_ store: String) -> String { "/v1.0/state/\(PercentEncoding.encode(store))" }
}
