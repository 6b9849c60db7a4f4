extension TodoApp {
    /// Where the events of the services go: one of the two. A spec without it has a managed one with its defaults.
    public struct Kafka: Sendable, Equatable, Codable {
        public var managed: ManagedKafka?
        public var external: ExternalKafka?
    }

    /// A Kafka of this installation's own, made by Strimzi.
    public struct ManagedKafka: Sendable, Equatable, Codable {
        public var version: String
        public var brokers: KafkaNodes
        public var controllers: KafkaNodes
        /// The node label whose values are the racks.
        public var rackTopologyKey: String?
        public var metrics = Metrics.disabled

        public enum Metrics: String, Sendable, Codable, CaseIterable {
            case enabled = "Enabled"
            case disabled = "Disabled"
        }

        /// With every default of the CRD.
        public static let standard = ManagedKafka(
            version: "4.3.1", brokers: KafkaNodes(replicas: 3, storage: KafkaStorage(size: .text("20Gi"))),
            controllers: KafkaNodes(replicas: 3, storage: KafkaStorage(size: .text("5Gi"))))
    }

    public struct KafkaNodes: Sendable, Equatable, Codable {
        public var replicas: Int
        public var storage: KafkaStorage
        public var resources: Resources?
    }

    public struct KafkaStorage: Sendable, Equatable, Codable {
        public var size: Quantity
        public var className: String?
    }

    /// A Kafka that others run: nothing is made in it.
    public struct ExternalKafka: Sendable, Equatable, Codable {
        public var bootstrapServers: [String]
        public var provider: KafkaProvider
        /// Nil takes one that no other installation has.
        public var topicPrefix: String?
        public var tls: KafkaTLS
        public var authentication: KafkaAuthentication
    }

    public enum KafkaProvider: String, Sendable, Codable, CaseIterable {
        case generic = "Generic"
        case confluent = "Confluent"
        case eventHubs = "EventHubs"
        case msk = "MSK"
        case redpanda = "Redpanda"
    }

    public struct KafkaTLS: Sendable, Equatable, Codable {
        public var mode: Mode
        public var caSecretRef: SecretKeyReference?

        public enum Mode: String, Sendable, Codable, CaseIterable {
            case enabled = "Enabled"
            case disabled = "Disabled"
        }
    }

    public struct SecretKeyReference: Sendable, Equatable, Codable {
        public var name: String
        public var key: String
    }

    public struct KafkaAuthentication: Sendable, Equatable, Codable {
        public var type: KafkaLogin
        public var secretRef: SecretReference?
        public var oidc: KafkaOIDC?
        public var aws: KafkaAWS?
    }

    public enum KafkaLogin: String, Sendable, Codable, CaseIterable {
        case none = "None"
        case scramSHA256 = "ScramSha256"
        case scramSHA512 = "ScramSha512"
        case plain = "Plain"
        case certificate = "Certificate"
        case oidc = "OIDC"
        case awsIAM = "AWSIAM"

        /// The keys of the Secret that it needs.
        public var secretKeys: [String] {
            switch self {
            case .none, .awsIAM: []
            case .scramSHA256, .scramSHA512, .plain: ["username", "password"]
            case .certificate: ["tls.crt", "tls.key"]
            case .oidc: ["clientId", "clientSecret"]
            }
        }
    }

    public struct KafkaOIDC: Sendable, Equatable, Codable {
        public var tokenEndpoint: String
        public var scopes: [String]?
    }

    public struct KafkaAWS: Sendable, Equatable, Codable {
        public var region: String
        public var roleArn: String?
    }

    /// How the Dapr sidecars beside the services run.
    public struct Dapr: Sendable, Equatable, Codable {
        public var controlPlaneNamespace: String
        public var tracing: Tracing
        public var sidecar: Sidecar

        public struct Tracing: Sendable, Equatable, Codable {
            public var samplingRate: String
            public var endpoint: String?
        }

        public struct Sidecar: Sendable, Equatable, Codable {
            public var resources: Resources?
            public var logLevel: LogLevel
        }

        public enum LogLevel: String, Sendable, Codable, CaseIterable {
            case debug, info, warn, error
        }
    }
}
