internal import APIServerKinds
internal import Concurrency
internal import HTTPTransport
internal import HTTPTypes
internal import KubernetesClient

/// What goes wrong on purpose: tests add rules, requests that match meet them.
public final class Faults: Sendable {
    public enum Action: Sendable, Hashable {
        /// The connection is closed; the request was not carried out.
        case dropBefore
        /// The request is carried out, then the connection is closed instead of an answer.
        case dropAfter
        /// A request is never answered; a watch is accepted and then says nothing, not even its end.
        case mute
        /// The answer waits.
        case delay(Duration)
        /// A `Status` of this code: 409 `Conflict`, 410 `Expired`, 429, 500, 503, …
        case status(Int, retryAfterSeconds: Int? = nil)
        /// Each chunk of a watch waits.
        case slowWatch(Duration)
    }

    /// Which requests; an absent field matches all.
    public struct Match: Sendable, Hashable {
        /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
        public var verbs: Set<String>?
        /// `deployments`, `todoapps`.
        public var resource: String?
        public var subresource: String?
        public var namespace: String?
        public var name: String?
        /// The name of the user who asks.
        public var user: String?

        public init(
            verbs: Set<String>? = nil, resource: String? = nil, subresource: String? = nil, namespace: String? = nil,
            name: String? = nil, user: String? = nil
        ) {
            self.verbs = verbs
            self.resource = resource
            self.subresource = subresource
            self.namespace = namespace
            self.name = name
            self.user = user
        }
    }

    /// Names a rule, to take it back or to ask how often it was met.
    public struct ID: Sendable, Hashable { fileprivate let number: Int }

    private struct Rule {
        let id: ID
        let action: Action
        let match: Match
        var remaining: Int?
    }

    private struct State {
        var rules: [Rule] = []
        var hits: [ID: Int] = [:]
        var nextID = 0
    }

    private let state = Lock(State())

    init() {}

    /// Adds a rule; of several that match a request the first counts.
    /// - Parameter count: how many requests meet it; nil for all until it is removed.
    @discardableResult
    public func add(_ action: Action, for match: Match = Match(), count: Int? = nil) -> ID {
        state.withLock { state in
            state.nextID += 1
            let id = ID(number: state.nextID)
            state.rules.append(Rule(id: id, action: action, match: match, remaining: count))
            return id
        }
    }

    public func remove(_ id: ID) { state.withLock { $0.rules.removeAll { $0.id == id } } }

    public func removeAll() { state.withLock { $0.rules = [] } }

    /// How many requests met the rule.
    public func hits(of id: ID) -> Int { state.withLock { $0.hits[id] ?? 0 } }

    private func action(for request: ResourceRequest) -> Action? {
        state.withLock { state in
            guard let index = state.rules.firstIndex(where: { $0.match.matches(request) }) else { return nil }
            let rule = state.rules[index]
            state.hits[rule.id, default: 0] += 1
            if let remaining = rule.remaining {
                state.rules[index].remaining = remaining - 1
                if remaining <= 1 { state.rules.remove(at: index) }
            }
            return rule.action
        }
    }
}

extension Faults {
    /// What a fault makes of the request.
    enum Verdict {
        /// Nothing: the request is answered as always.
        case none
        /// This instead of an answer.
        case answer(APIResponse)
        /// Applied to the answer.
        case transform(@Sendable (APIResponse) -> APIResponse)
    }

    func verdict(on request: ResourceRequest) async -> Verdict {
        switch action(for: request) {
        case nil: return .none
        case .dropBefore: return .answer(.dropped)
        case .dropAfter: return .transform { _ in .dropped }
        case .delay(let duration):
            try? await Task.sleep(for: duration)  // the fault that was asked for
            return .none
        case .status(let code, let seconds):
            var error = StatusError(code, Self.reason(code), "made to fail by a test")
            error.retryAfterSeconds = seconds
            return .answer(.failure(error))
        case .mute:
            guard request.verb == "watch" else {
                await Self.waitForever()
                return .answer(.dropped)
            }
            var response = APIResponse.json(200, [UInt8]())
            response.body = .stream(
                ResponseBody { () throws(HTTPTransportError) in
                    await Self.waitForever()
                    return nil
                })
            return .answer(response)
        case .slowWatch(let duration): return .transform { $0.slowed(by: duration) }
        }
    }

    private static func reason(_ code: Int) -> String {
        switch code {
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "NotFound"
        case 409: "Conflict"
        case 410: "Expired"
        case 429: "TooManyRequests"
        case 503: "ServiceUnavailable"
        case 504: "Timeout"
        default: "InternalError"
        }
    }

    /// Until the task is cancelled.
    private static func waitForever() async {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }  // ends with the task
    }
}

extension Faults.Match {
    fileprivate func matches(_ request: ResourceRequest) -> Bool {
        (verbs.map { $0.contains(request.verb) } ?? true)
            && (resource.map { $0 == request.resource.type.plural } ?? true)
            && (subresource.map { $0 == request.subresource } ?? true)
            && (namespace.map { $0 == request.namespace } ?? true) && (name.map { $0 == request.name } ?? true)
            && (user.map { $0 == request.user.name } ?? true)
    }
}

extension APIResponse {
    fileprivate static var dropped: APIResponse {
        var response = APIResponse(body: .bytes([]))
        response.dropsConnection = true
        return response
    }

    fileprivate func slowed(by duration: Duration) -> APIResponse {
        guard case .stream(let stream) = body else { return self }
        var response = self
        let iterator = Lock(stream.makeAsyncIterator())
        response.body = .stream(
            ResponseBody { () throws(HTTPTransportError) in
                try? await Task.sleep(for: duration)  // the fault that was asked for
                var next = iterator.withLock { $0 }
                return try await next.next()
            })
        return response
    }
}
