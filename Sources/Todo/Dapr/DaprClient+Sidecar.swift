internal import HTTPTypes
internal import StructuredData

/// What a sidecar says of itself.
public struct SidecarMetadata: Sendable, Hashable {
    public struct Component: Sendable, Hashable {
        public let name: String
        public let type: String
        public let version: String
    }

    public struct Subscription: Sendable, Hashable {
        public let pubsub: String
        public let topic: String
        public let deadLetterTopic: String?
    }

    /// The app id.
    public let id: String
    public let runtimeVersion: String
    public let components: [Component]
    public let subscriptions: [Subscription]

    init(_ json: JSON) {
        id = json["id"]?.string ?? ""
        runtimeVersion = json["runtimeVersion"]?.string ?? ""
        components = (json["components"]?.array ?? []).map { component in
            Component(
                name: component["name"]?.string ?? "", type: component["type"]?.string ?? "",
                version: component["version"]?.string ?? "")
        }
        subscriptions = (json["subscriptions"]?.array ?? []).map { subscription in
            Subscription(
                pubsub: subscription["pubsubname"]?.string ?? "", topic: subscription["topic"]?.string ?? "",
                deadLetterTopic: subscription["deadLetterTopic"]?.string.flatMap { $0.isEmpty ? Optional.none : $0 })
        }
    }
}

extension DaprClient {
    /// The keys and values of a secret. `namespace` nil is the sidecar's own.
    public func secret(
        _ name: String, in store: String = "kubernetes", namespace: String? = nil
    ) async throws(DaprError) -> [String: String] {
        let query = namespace.map { "?metadata.namespace=\(PercentEncoding.encode($0))" } ?? ""
        let path = "/v1.0/secrets/\(PercentEncoding.encode(store))/\(PercentEncoding.encode(name))\(query)"
        let json = try await call(.get, path).json()
        var result: [String: String] = [:]
        for (key, value) in json.object ?? [:] { result[key] = value.string }
        return result
    }

    public func metadata() async throws(DaprError) -> SidecarMetadata {
        SidecarMetadata(try await call(.get, "/v1.0/metadata").json())
    }

    /// Whether sidecar and app are well.
    public func isHealthy() async -> Bool { await succeeds("/v1.0/healthz") }

    /// Whether the sidecar's components are ready to be called, the app being so or not.
    public func isOutboundHealthy() async -> Bool { await succeeds("/v1.0/healthz/outbound") }

    private func succeeds(_ path: String) async -> Bool {
        guard let answer = try? await exchange(.get, path) else { return false }
        return answer.status == 204
    }

    /// Returns when the sidecar may be called: to be awaited when a service starts, for the sidecar may come later.
    /// - Throws: `notReady` after `limit`, `CancellationError` when cancelled.
    public func waitUntilReady(
        within limit: Duration = .seconds(60), clock: some Clock<Duration> = ContinuousClock()
    ) async throws {
        let deadline = clock.now.advanced(by: limit)
        while await !isOutboundHealthy() {
            try Task.checkCancellation()
            guard clock.now < deadline else { throw DaprError.notReady(waited: limit) }
            // There is nothing to be told by: a sidecar that is not there yet can only be asked again.
            try await clock.sleep(for: .milliseconds(100))
        }
    }
}
