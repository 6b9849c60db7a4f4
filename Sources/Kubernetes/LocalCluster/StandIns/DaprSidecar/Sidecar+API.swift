internal import Concurrency
internal import Crypto
internal import HTTPTypes
internal import KubernetesClient
internal import StructuredData

/// The HTTP API of a sidecar (contract sections 2 to 4).
extension Sidecar {
    /// The version of Dapr whose contract it is.
    static let runtimeVersion = "1.18.3"

    func answer(_ request: SidecarRequest) async -> SidecarAnswer {
        guard let version = request.path.first, version.hasPrefix("v1.0") else { return Self.unknown }
        let path = Array(request.path.dropFirst())
        if path.first == "healthz", request.method == .get { return health(path) }
        guard isAdmitted(request) else {
            return .error(401, "ERR_API_TOKEN", "the header dapr-api-token does not hold this sidecar's token")
        }
        switch (request.method, path.first) {
        case (.get, "metadata"): return .json(metadata())
        case (.post, "publish"), (.put, "publish"): return await publish(request, Array(path.dropFirst()))
        case (_, "state"): return await state(request, Array(path.dropFirst()))
        case (.get, "secrets"): return await secret(request, Array(path.dropFirst()))
        case (.post, "shutdown"):
            Task { await drain() }  // the app may call in the midst of an event
            return .done
        default: return Self.unknown
        }
    }

    /// What is shown to everybody, without a token: health and metadata.
    func answerOpenly(_ request: SidecarRequest) -> SidecarAnswer {
        guard request.method == .get, request.path.first?.hasPrefix("v1.0") == true else { return Self.unknown }
        let path = Array(request.path.dropFirst())
        switch path.first {
        case "healthz": return health(path)
        case "metadata": return .json(metadata())
        default: return Self.unknown
        }
    }

    private static let unknown = SidecarAnswer.error(404, "ERR_NOT_FOUND", "this sidecar has no such API")

    /// Digests are compared, so that the time tells nothing of the token.
    private func isAdmitted(_ request: SidecarRequest) -> Bool {
        guard let token = pod.apiToken else { return true }
        func digest(_ text: String) -> SHA256Digest { SHA256.hash(data: Array(text.utf8)) }
        return digest(request.headers[.daprAPIToken] ?? "") == digest(token)
    }

    private func health(_ path: [String]) -> SidecarAnswer {
        let (hasComponents, knowsApp) = state.withLock { ($0.components != nil, $0.declared != nil) }
        let isOutbound = path.dropFirst().first == "outbound"
        guard hasComponents, isOutbound || knowsApp || pod.appPort == nil else {
            return .error(500, "ERR_HEALTH_NOT_READY", "the sidecar is not ready")
        }
        return .done
    }

    private func metadata() -> JSON {
        let (components, consumers, resiliencies) = state.withLock { state in
            (state.components ?? [:], Array(state.consumers.keys), state.resources?.resiliencies ?? [])
        }
        let subscriptions = consumers.map(\.subscription).sorted { ($0.pubsub, $0.topic) < ($1.pubsub, $1.topic) }
        return [
            "id": .string(pod.appID), "runtimeVersion": .string(Self.runtimeVersion),
            "components": .array(
                components.values.sorted { $0.name < $1.name }.map { component in
                    [
                        "name": .string(component.name), "type": .string(component.type),
                        "version": .string(component.version), "capabilities": .array(component.capabilities),
                    ]
                }),
            "subscriptions": .array(subscriptions.map(\.summary)),
            "resiliencies": .array(resiliencies.map { .string($0.name) }),
            "extended": ["daprRuntimeVersion": .string(Self.runtimeVersion)],
            "appConnectionProperties": [
                "port": pod.appPort.map { JSON($0) } ?? .null, "protocol": "http",
                "channelAddress": .string(pod.address),
            ],
        ]
    }

    /// Nil when there is no such component for this purpose.
    func component(_ name: String, _ role: Component.Role) -> Component? {
        state.withLock { $0.components?[name] }.flatMap { $0.role == role ? $0 : Optional.none }
    }
}

extension Component {
    fileprivate var capabilities: [JSON] {
        switch role {
        case .pubsub: ["BULK_PUBSUB"]
        case .state: ["ETAG", "TRANSACTIONAL", "TTL"]
        default: []
        }
    }
}
