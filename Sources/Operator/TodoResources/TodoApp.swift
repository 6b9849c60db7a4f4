public import StructuredData

/// One installation of the todo platform.
public struct TodoApp: Sendable, Equatable, Codable {
    public var metadata: ResourceMetadata
    public var spec: Spec
    public var status: Status?
    /// Labels of it that its objects get too. No part of the resource: whoever reads it says which.
    public var inheritedLabels: [String: String] = [:]

    private enum CodingKeys: CodingKey { case metadata, spec, status }

    public init(metadata: ResourceMetadata, spec: Spec, status: Status? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    /// What the user declares. Decoded from an object whose defaults are filled in (`TodoApp.init(validating:)`).
    public struct Spec: Sendable, Equatable, Codable {
        public var image: String
        public var imagePullSecrets: [SecretReference]?
        public var database: Database
        public var kafka: Kafka?
        public var dapr: Dapr
        public var services: Services
        public var workers: Workers
        public var web: Web
        public var auth: Auth
        public var notifications: Notifications
        public var retention: Retention
        public var networkPolicy: NetworkPolicyMode
        public var monitoring: Monitoring
        public var upgradePolicy: UpgradePolicy
        public var secretRotation: String?
        public var suspend: Bool
        public var deletionPolicy: DeletionPolicy
    }

    public struct Database: Sendable, Equatable, Codable {
        public var secretRef: SecretReference
        public var tlsMode: TLSMode
        public var poolSize: Int
    }

    public struct SecretReference: Sendable, Equatable, Codable {
        public var name: String
    }

    public enum TLSMode: String, Sendable, Codable, CaseIterable {
        case disable = "Disable"
        case require = "Require"
        case verifyFull = "VerifyFull"

        /// libpq's word for it (PostgreSQL documentation, section "SSL Support").
        public var sslMode: String {
            switch self {
            case .disable: "disable"
            case .require: "require"
            case .verifyFull: "verify-full"
            }
        }
    }

    /// Named after its field, as the enumerated strings of Kubernetes' own API are.
    public enum NetworkPolicyMode: String, Sendable, Codable, CaseIterable {
        case enabled = "Enabled"
        case disabled = "Disabled"
    }

    public struct Auth: Sendable, Equatable, Codable {
        public var signUp: SignUp
        public var oidc: OIDC?
    }

    public enum SignUp: String, Sendable, Codable, CaseIterable {
        case open = "Open"
        case closed = "Closed"
    }

    /// A part of the installation with pods of its own; the raw value is its name everywhere. In the order of a rollout.
    public enum ServiceName: String, Sendable, Codable, CaseIterable {
        case api, audit, notification, realtime, workers
    }

    public struct Services: Sendable, Equatable, Codable {
        public var api: Service
        public var audit: Service
        public var notification: Service
        public var realtime: Service
    }

    public struct Service: Sendable, Equatable, Codable {
        /// With autoscaling the least number of pods.
        public var replicas: Int
        public var resources: Resources?
        public var autoscaling: Autoscaling?
        public var pod = PodSettings()

        init(replicas: Int, resources: Resources?, pod: PodSettings) {
            self.replicas = replicas
            self.resources = resources
            self.pod = pod
        }
    }

    /// Where recurrence and reminders are worked on.
    public enum WorkerPlacement: String, Sendable, Codable, CaseIterable {
        case embedded = "Embedded"
        case dedicated = "Dedicated"
    }

    public struct Workers: Sendable, Equatable, Codable {
        public var placement: WorkerPlacement
        public var replicas: Int
        public var resources: Resources?
        public var pod = PodSettings()
    }

    public struct Notifications: Sendable, Equatable, Codable {
        public var email: Email?
        public var webhooks: Webhooks
    }

    public struct Email: Sendable, Equatable, Codable {
        public var host: String
        public var port: Int?
        public var tls: MailTLS
        public var from: String
        public var secretRef: SecretReference?
    }

    public enum MailTLS: String, Sendable, Codable, CaseIterable {
        case startTLS = "StartTLS"
        case implicit = "Implicit"
        case none = "None"
    }

    public struct Webhooks: Sendable, Equatable, Codable {
        public var allowedNetworks: [String]?
    }

    /// Kubernetes resource requirements; quantities as the user wrote them.
    public struct Resources: Sendable, Equatable, Codable {
        public var requests: [String: Quantity]?
        public var limits: [String: Quantity]?
    }

    /// A quantity is a string or an integer in JSON, and is given on as it came.
    public enum Quantity: Sendable, Equatable, Codable {
        case text(String)
        case integer(Int)

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let integer = try? container.decode(Int.self) {
                self = .integer(integer)
            } else {
                self = .text(try container.decode(String.self))
            }
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .integer(let integer): try container.encode(integer)
            }
        }

        public var json: JSON {
            switch self {
            case .text(let text): .string(text)
            case .integer(let integer): JSON(integer)
            }
        }

        public var text: String {
            switch self {
            case .text(let text): text
            case .integer(let integer): "\(integer)"
            }
        }
    }

    /// The services that have pods of their own.
    public var services: [ServiceName] {
        ServiceName.allCases.filter { $0 != .workers || spec.workers.placement == .dedicated }
    }

    /// What the spec says of a service.
    public subscript(service name: ServiceName) -> Service {
        switch name {
        case .api: spec.services.api
        case .audit: spec.services.audit
        case .notification: spec.services.notification
        case .realtime: spec.services.realtime
        case .workers:
            Service(replicas: spec.workers.replicas, resources: spec.workers.resources, pod: spec.workers.pod)
        }
    }

    /// What the operator observed.
    public struct Status: Sendable, Equatable, Codable {
        public var observedGeneration: Int?
        public var version: String?
        public var url: String?
        public var services: [ServiceStatus]?
        public var conditions: [Condition]?

        public init(
            observedGeneration: Int? = nil, version: String? = nil, url: String? = nil,
            services: [ServiceStatus]? = nil, conditions: [Condition]? = nil
        ) {
            self.observedGeneration = observedGeneration
            self.version = version
            self.url = url
            self.services = services
            self.conditions = conditions
        }
    }

    public struct ServiceStatus: Sendable, Equatable, Codable {
        public var name: String
        public var desired: Int
        public var updated: Int
        public var ready: Int

        public init(name: String, desired: Int, updated: Int, ready: Int) {
            self.name = name
            self.desired = desired
            self.updated = updated
            self.ready = ready
        }
    }
}
