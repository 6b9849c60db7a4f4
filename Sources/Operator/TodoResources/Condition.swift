/// One aspect of an object's state (Kubernetes API conventions, "Typical status properties").
public struct Condition: Sendable, Equatable, Codable {
    /// In Unicode scalars; the API server refuses a status with a longer message.
    static let longestMessage = 32768

    public enum Status: String, Sendable, Codable, CaseIterable {
        case yes = "True"
        case no = "False"
        case unknown = "Unknown"
    }

    public var type: String
    public var status: Status
    public var observedGeneration: Int
    /// When `status` last changed, RFC 3339 with whole seconds.
    public var lastTransitionTime: String
    public var reason: String
    public var message: String

    public init(
        type: String, status: Status, observedGeneration: Int, lastTransitionTime: String, reason: String,
        message: String
    ) {
        self.type = type
        self.status = status
        self.observedGeneration = observedGeneration
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}

/// The condition types of our kinds. `Reconciling` and `Stalled` are there only while true (kstatus).
public enum ConditionType: String, Sendable, CaseIterable {
    case ready = "Ready"
    case reconciling = "Reconciling"
    case stalled = "Stalled"
    case databaseReady = "DatabaseReady"
    case kafkaReady = "KafkaReady"
    case daprReady = "DaprReady"
    case servicesReady = "ServicesReady"
    case workersReady = "WorkersReady"
    /// There only where a service has autoscaling.
    case autoscalingReady = "AutoscalingReady"
    /// Only where an ingress or a gateway is asked for.
    case edgeReady = "EdgeReady"
    /// Only where the Prometheus operator is to be told something.
    case monitoringReady = "MonitoringReady"
}

/// Why a condition has its status; part of the API: dashboards and alerts match on them.
public enum ConditionReason: String, Sendable, CaseIterable {
    case allReady = "AllReady"
    case progressing = "Progressing"
    case suspended = "Suspended"
    case invalidSpec = "InvalidSpec"
    case secretNotFound = "SecretNotFound"
    case secretKeyMissing = "SecretKeyMissing"
    case secretInvalid = "SecretInvalid"
    case secretForbidden = "SecretForbidden"
    case connectionFailed = "ConnectionFailed"
    case tlsRefused = "TLSRefused"
    case authenticationFailed = "AuthenticationFailed"
    case schemaTooNew = "SchemaTooNew"
    case migrating = "Migrating"
    case migrationFailed = "MigrationFailed"
    case migrated = "Migrated"
    case strimziNotInstalled = "StrimziNotInstalled"
    case waitingForStrimzi = "WaitingForStrimzi"
    case kafkaNotReady = "KafkaNotReady"
    case kafkaUserNotReady = "KafkaUserNotReady"
    case kafkaTopicNotReady = "KafkaTopicNotReady"
    case kafkaRunning = "KafkaRunning"
    case externalKafka = "ExternalKafka"
    case topicReady = "TopicReady"
    case topicTaken = "TopicTaken"
    case topicExists = "TopicExists"
    case topicNotFound = "TopicNotFound"
    case fewerPartitions = "FewerPartitions"
    case replicasChanged = "ReplicasChanged"
    case invalidMatch = "InvalidMatch"
    case externalTopic = "ExternalTopic"
    case daprNotInstalled = "DaprNotInstalled"
    case sidecarNotInjected = "SidecarNotInjected"
    case sidecarUnreachable = "SidecarUnreachable"
    case componentNotLoaded = "ComponentNotLoaded"
    case subscriptionNotLive = "SubscriptionNotLive"
    case sidecarsReady = "SidecarsReady"
    case waitingForPods = "WaitingForPods"
    case waitingForDatabase = "WaitingForDatabase"
    case waitingForServices = "WaitingForServices"
    case waitingForKafka = "WaitingForKafka"
    case waitingForDeletion = "WaitingForDeletion"
    case gatewayAPINotInstalled = "GatewayAPINotInstalled"
    case waitingForGateway = "WaitingForGateway"
    case routeRefused = "RouteRefused"
    case routeAccepted = "RouteAccepted"
    case waitingForIngress = "WaitingForIngress"
    case ingressReady = "IngressReady"
    case prometheusOperatorNotInstalled = "PrometheusOperatorNotInstalled"
    case monitoringConfigured = "MonitoringConfigured"
    case identityProviderCAInvalid = "IdentityProviderCAInvalid"
    case apiTokenInvalid = "APITokenInvalid"
    case mailLoginInvalid = "MailLoginInvalid"
    case rollingOut = "RollingOut"
    case rolloutFailed = "RolloutFailed"
    case rolledOut = "RolledOut"
    case scaledToZero = "ScaledToZero"
    case kedaNotInstalled = "KEDANotInstalled"
    case waitingForAutoscaler = "WaitingForAutoscaler"
    case autoscalerRefused = "AutoscalerRefused"
    case autoscalerFailed = "AutoscalerFailed"
    case autoscaled = "Autoscaled"
    case applyFailed = "ApplyFailed"
    case nameTaken = "NameTaken"
    case driftLoop = "DriftLoop"
    case workersRunning = "WorkersRunning"
    case workersStarting = "WorkersStarting"
    case workersFailed = "WorkersFailed"
    case scheduled = "Scheduled"
    case appNotFound = "AppNotFound"
    case appNotReady = "AppNotReady"
    case invalidSelector = "InvalidSelector"
    case invalidSchedule = "InvalidSchedule"
    case policyFailed = "PolicyFailed"
}

/// A list of conditions, one for each type, that keeps `lastTransitionTime` while a status stays the same.
public struct ConditionSet: Sendable, Equatable {
    public private(set) var all: [Condition]
    private let generation: Int
    private let now: String

    /// - Parameters:
    ///   - previous: the conditions that are in the object's status.
    ///   - generation: the generation that they are being judged for.
    ///   - now: RFC 3339, whole seconds.
    public init(previous: [Condition], generation: Int, now: String) {
        all = previous
        self.generation = generation
        self.now = now
    }

    public subscript(type: ConditionType) -> Condition? { all.first { $0.type == type.rawValue } }

    public mutating func set(
        _ type: ConditionType, _ status: Condition.Status, _ reason: ConditionReason, _ message: String
    ) {
        let old = self[type]
        let condition = Condition(
            type: type.rawValue, status: status, observedGeneration: generation,
            lastTransitionTime: old.flatMap { $0.status == status ? $0.lastTransitionTime : nil } ?? now,
            reason: reason.rawValue, message: Self.cut(message))
        if let index = all.firstIndex(where: { $0.type == type.rawValue }) {
            all[index] = condition
        } else {
            all.append(condition)
        }
    }

    /// Others' words may be of any length.
    private static func cut(_ message: String) -> String {
        guard message.utf8.count > Condition.longestMessage else { return message }
        return String(message.unicodeScalars.prefix(Condition.longestMessage))
    }

    /// It is as declared.
    public mutating func settle(_ reason: ConditionReason, _ message: String) {
        set(.ready, .yes, reason, message)
        remove(.reconciling)
        remove(.stalled)
    }

    /// It is not yet, and goes on by itself.
    public mutating func wait(_ reason: ConditionReason, _ message: String, progress: ConditionReason? = nil) {
        set(.ready, .no, reason, message)
        set(.reconciling, .yes, progress ?? reason, message)
        remove(.stalled)
    }

    /// It is not, and somebody has to change something first.
    public mutating func stall(_ reason: ConditionReason, _ message: String) {
        set(.ready, .no, reason, message)
        set(.stalled, .yes, reason, message)
        remove(.reconciling)
    }

    public mutating func remove(_ type: ConditionType) { all.removeAll { $0.type == type.rawValue } }
}
