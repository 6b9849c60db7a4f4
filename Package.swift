// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A module in `Sources/<room>/<name>`.
func library(_ name: String, in room: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(room)/\(name)", swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, path: "Tests/\(name)Tests",
        exclude: exclude, swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")

/// The libraries of the system that the product stands on.
let system: [Target] = [
    .systemLibrary(
        name: "CCurl", path: "Sources/System/CCurl", pkgConfig: "libcurl",
        providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(
        name: "CPostgres", path: "Sources/System/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
        name: "CYAML", path: "Sources/System/CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CEpoll", path: "Sources/System/CEpoll"),
    .systemLibrary(name: "CMalloc", path: "Sources/System/CMalloc"),
    .systemLibrary(
        name: "CZlib", path: "Sources/System/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CSpawn", path: "Sources/System/CSpawn"),
]

/// Knows neither Kubernetes nor todos.
let kit: [Target] = [
    library("Concurrency", in: "Kit", ["CEpoll"]),
    library("ChildProcess", in: "Kit", ["CSpawn", "Concurrency"]),
    library("Compression", in: "Kit", ["CZlib"]),
    library("Recurrence", in: "Kit", ["Concurrency"]),
    library("StructuredData", in: "Kit", ["CYAML"]),
    library("HTTPTransport", in: "Kit", ["CCurl", "CEpoll", "Concurrency", httpTypes]),
    library("Postgres", in: "Kit", ["CPostgres", "Concurrency", logging]),
    library("LocalPostgres", in: "Kit", ["ChildProcess", "Concurrency", "Postgres", crypto]),
    library("ServiceRunning", in: "Kit", [lifecycle, logging]),
    library("HTTPServing", in: "Kit", ["Concurrency", hummingbirdCore, logging, nioCore, nioHTTPTypes]),
    library(
        "Telemetry", in: "Kit",
        ["Concurrency", "HTTPServing", "StructuredData", httpTypes, hummingbird, lifecycle, logging, metrics, nioCore]),
]

/// Knows no todos.
let kubernetes: [Target] = [
    .target(
        name: "BuiltinDefinitions", path: "Sources/Kubernetes/BuiltinDefinitions",
        exclude: ["README.md", "definitions.json", "generate.py", "supplement.json"]),
    library("KubernetesSchema", in: "Kubernetes", ["BuiltinDefinitions", "Concurrency", "StructuredData"]),
    library(
        "KubernetesClient", in: "Kubernetes",
        ["ChildProcess", "Concurrency", "HTTPTransport", "StructuredData", httpTypes, logging]),
    library(
        "ControllerRuntime", in: "Kubernetes",
        [
            "CMalloc", "Concurrency", "HTTPTransport", "KubernetesClient", "StructuredData", httpTypes, lifecycle,
            logging, metrics,
        ]),
    .target(
        name: "APIServerKinds",
        dependencies: ["Concurrency", "KubernetesClient", "KubernetesSchema", "StructuredData", crypto],
        path: "Sources/Kubernetes/LocalCluster/Kinds", swiftSettings: settings),
    .target(
        name: "APIServer",
        dependencies: [
            "APIServerKinds", "Concurrency", "HTTPServing", "HTTPTransport", "KubernetesClient", "KubernetesSchema",
            "ServiceRunning", "StructuredData", asn1, collections, crypto, httpTypes, hummingbirdCore, lifecycle,
            logging, nioCore, nioHTTP1, nioPosix, nioSSL, x509,
        ],
        path: "Sources/Kubernetes/LocalCluster/APIServer", swiftSettings: settings),
    .target(
        name: "TopicLog", dependencies: ["Concurrency", collections, logging],
        path: "Sources/Kubernetes/LocalCluster/StandIns/TopicLog", swiftSettings: settings),
    .target(
        name: "DaprSidecar",
        dependencies: [
            "Concurrency", "ControllerRuntime", "HTTPServing", "HTTPTransport", "KubernetesClient",
            "KubernetesSchema", "ServiceRunning", "StructuredData", "TopicLog", crypto, httpTypes, hummingbirdCore,
            logging, nioCore, nioPosix,
        ],
        path: "Sources/Kubernetes/LocalCluster/StandIns/DaprSidecar", swiftSettings: settings),
    .target(
        name: "LocalCluster",
        dependencies: [
            "APIServer", "APIServerKinds", "ChildProcess", "Concurrency", "ControllerRuntime", "DaprSidecar",
            "HTTPTransport", "KubernetesClient", "StructuredData", "TopicLog", httpTypes, lifecycle, logging, nioCore,
            nioPosix,
        ],
        path: "Sources/Kubernetes/LocalCluster",
        exclude: ["APIServer", "Kinds", "StandIns/DaprSidecar", "StandIns/TopicLog"],
        swiftSettings: settings),
]

let todo: [Target] = [
    library("TodoModel", in: "Todo", ["Concurrency", "Recurrence", "StructuredData"]),
    library("Dapr", in: "Todo", ["HTTPTransport", "StructuredData", crypto, httpTypes, hummingbird, logging, nioCore]),
    library(
        "TodoStore", in: "Todo",
        ["Concurrency", "Postgres", "ServiceRunning", "StructuredData", "TodoModel", crypto, logging]),
    library(
        "TodoWorkers", in: "Todo", ["Concurrency", "TodoModel", "TodoStore", lifecycle, logging, metrics]),
    library(
        "ServiceHTTP", in: "Services",
        [
            "Concurrency", "HTTPTransport", "Postgres", "ServiceRunning", "StructuredData", "Telemetry", "TodoModel",
            "TodoStore", crypto, httpTypes, hummingbird, hummingbirdCore, lifecycle, logging, nioCore, nioHTTPTypes,
        ]),
    library(
        "WorkersService", in: "Services",
        [
            "Postgres", "ServiceHTTP", "ServiceRunning", "Telemetry", "TodoStore", "TodoWorkers", lifecycle, logging,
        ]),
    library(
        "NotificationService", in: "Services",
        [
            "Concurrency", "Dapr", "HTTPServing", "HTTPTransport", "Postgres", "ServiceHTTP", "ServiceRunning",
            "StructuredData",
            "Telemetry", "TodoModel", "TodoStore", crypto, httpTypes, hummingbird, lifecycle, logging, metrics, nioCore,
        ]),
    library(
        "TaskService", in: "Services",
        [
            "Compression", "Concurrency", "Dapr", "HTTPServing", "HTTPTransport", "Postgres", "ServiceHTTP",
            "ServiceRunning",
            "StructuredData",
            "Telemetry", "TodoModel", "TodoStore", "TodoWeb", crypto, cryptoExtras, httpTypes, hummingbird,
            hummingbirdCore, lifecycle, logging,
            metrics, nioCore, nioPosix,
        ]),
    library(
        "RealtimeService", in: "Services",
        [
            "Concurrency", "Dapr", "HTTPServing", "HTTPTransport", "ServiceRunning", "StructuredData", "Telemetry",
            "TodoModel",
            collections, httpTypes,
            hummingbird, hummingbirdCore, lifecycle, logging, metrics, nioCore, nioHTTP1, nioHTTPTypes,
            nioHTTPTypesHTTP1, nioPosix, nioWebSocket,
        ]),
    library(
        "AuditService", in: "Services",
        [
            "Concurrency", "Dapr", "HTTPServing", "HTTPTransport", "Postgres", "ServiceHTTP", "ServiceRunning",
            "StructuredData",
            "Telemetry", "TodoModel", "TodoStore", crypto, httpTypes, hummingbird, lifecycle, logging, metrics, nioCore,
        ]),
    .target(name: "TodoWebAssets", path: "Sources/Services/TodoWeb/Embedded"),
    .target(
        name: "TodoWeb", dependencies: ["Compression", "TodoWebAssets", crypto, httpTypes, hummingbird],
        path: "Sources/Services/TodoWeb", exclude: ["Assets", "Embedded"], swiftSettings: settings),
    library("TodoResources", in: "Operator", ["KubernetesClient", "KubernetesSchema", "StructuredData"]),
    library(
        "TodoOperator", in: "Operator",
        [
            "AuditService", "Concurrency", "ControllerRuntime", "HTTPTransport", "KubernetesClient", "KubernetesSchema",
            "Postgres", "Recurrence", "StructuredData", "TodoModel", "TodoResources", "TodoStore", "TodoWorkers",
            asn1, crypto,
            httpTypes, lifecycle, logging, metrics,
        ]),
    .executableTarget(
        name: "todo",
        dependencies: [
            "AuditService", "Concurrency", "ControllerRuntime", "Dapr", "HTTPTransport", "KubernetesClient",
            "LocalCluster", "LocalPostgres", "NotificationService", "RealtimeService", "Recurrence", "ServiceRunning",
            "StructuredData", "TaskService", "Telemetry", "TodoOperator", "TodoResources", "WorkersService",
            argumentParser, httpTypes, lifecycle, logging, metrics, unixSignals,
        ],
        path: "Sources/todo", swiftSettings: settings),
]

let allTests: [Target] = [
    .target(
        name: "PostgresServer", dependencies: ["ChildProcess", "Concurrency", "LocalPostgres"],
        path: "Tests/Support/PostgresServer", swiftSettings: settings),
    .target(
        name: "WebDriver", dependencies: ["ChildProcess", "Concurrency", "HTTPTransport", "StructuredData", httpTypes],
        path: "Tests/Support/WebDriver", swiftSettings: settings),
    .target(
        name: "WebSocketClient", dependencies: ["Concurrency", "StructuredData", nioCore, nioPosix],
        path: "Tests/Support/WebSocketClient", swiftSettings: settings),
    .target(
        name: "SMTPServer", dependencies: ["Concurrency", nioCore, nioPosix, nioSSL], path: "Tests/Support/SMTPServer",
        swiftSettings: settings),
    .target(
        name: "WebhookReceiver",
        dependencies: ["Concurrency", "StructuredData", httpTypes, hummingbird, lifecycle, logging, nioCore],
        path: "Tests/Support/WebhookReceiver", swiftSettings: settings),
    tests(of: "ChildProcess"),
    tests(of: "Compression", ["ChildProcess"]),
    tests(of: "Concurrency"),
    tests(of: "Recurrence", ["ChildProcess", "StructuredData", "todo"], exclude: ["Resources"]),
    tests(of: "StructuredData"),
    tests(of: "HTTPServing", [hummingbirdCore, logging, nioCore, nioEmbedded]),
    tests(of: "HTTPTransport", ["CCurl", "CEpoll", "Concurrency", "LocalPostgres", "SMTPServer", httpTypes]),
    tests(of: "Postgres", ["Concurrency", "PostgresServer", logging]),
    tests(of: "LocalPostgres", ["Postgres"]),
    tests(of: "Telemetry", ["Concurrency", "StructuredData", logging, metrics]),
    tests(of: "KubernetesSchema", ["StructuredData"]),
    tests(of: "KubernetesClient", ["Concurrency", "HTTPTransport", "StructuredData", httpTypes, logging]),
    tests(
        of: "ControllerRuntime",
        ["Concurrency", "HTTPTransport", "KubernetesClient", "StructuredData", httpTypes, lifecycle, logging, metrics]),
    tests(of: "APIServerKinds", ["KubernetesClient", "KubernetesSchema", "StructuredData"]),
    tests(
        of: "APIServer",
        [
            "APIServerKinds", "Concurrency", "HTTPTransport", "KubernetesClient", "StructuredData", httpTypes, logging,
            nioCore, nioPosix, nioSSL,
        ]),
    tests(
        of: "LocalCluster",
        [
            "APIServer", "Concurrency", "ControllerRuntime", "DaprSidecar", "HTTPTransport", "KubernetesClient",
            "StructuredData", httpTypes, hummingbird, logging, nioCore,
        ]),
    .executableTarget(
        name: "TopicLogWriter", dependencies: ["TopicLog"], path: "Tests/Support/TopicLogWriter",
        swiftSettings: settings),
    tests(of: "TopicLog", ["ChildProcess", "Concurrency", "TopicLogWriter", logging]),
    tests(
        of: "DaprSidecar",
        [
            "Concurrency", "ControllerRuntime", "Dapr", "HTTPTransport", "KubernetesClient", "StructuredData",
            "TopicLog",
            httpTypes, hummingbird, lifecycle, logging, nioCore,
        ], exclude: ["Resources"]),
    tests(of: "TodoModel", ["StructuredData"]),
    tests(
        of: "Dapr",
        ["Concurrency", "HTTPTransport", "StructuredData", httpTypes, hummingbird, lifecycle, logging, nioCore]),
    tests(
        of: "TodoStore",
        ["Concurrency", "Postgres", "PostgresServer", "Recurrence", "StructuredData", "TodoModel"]),
    tests(
        of: "TodoWorkers",
        [
            "todo", "ChildProcess", "Concurrency", "Postgres", "PostgresServer", "StructuredData", "Telemetry",
            "TodoModel", "TodoStore", logging,
        ]),
    tests(
        of: "TaskService",
        [
            "AuditService", "ChildProcess", "Compression", "Concurrency", "HTTPTransport", "NotificationService",
            "Postgres", "PostgresServer", "ServiceHTTP", "ServiceRunning", "StructuredData", "Telemetry", "TodoModel",
            "TodoStore", "WebhookReceiver", crypto, cryptoExtras, httpTypes, hummingbird, lifecycle, logging, nioCore,
            nioPosix,
        ]),
    tests(
        of: "RealtimeService",
        [
            "Concurrency", "Dapr", "DaprSidecar", "HTTPTransport", "KubernetesClient", "LocalPostgres",
            "ServiceRunning", "StructuredData", "Telemetry", "TodoModel", "TopicLog", "WebSocketClient", httpTypes,
            hummingbird,
            lifecycle, logging, nioCore, nioHTTP1, nioWebSocket,
        ]),
    tests(
        of: "AuditService",
        [
            "todo", "ChildProcess", "Concurrency", "Dapr", "HTTPTransport", "LocalPostgres", "Postgres",
            "PostgresServer", "ServiceHTTP", "ServiceRunning", "StructuredData", "Telemetry", "TodoModel",
            "TodoStore", crypto, httpTypes, lifecycle, logging,
        ]),
    tests(
        of: "NotificationService",
        [
            "todo", "ChildProcess", "Concurrency", "HTTPTransport", "LocalPostgres", "Postgres", "PostgresServer",
            "SMTPServer",
            "ServiceHTTP", "ServiceRunning", "StructuredData", "Telemetry", "TodoModel", "TodoStore",
            "WebhookReceiver", crypto, httpTypes, lifecycle, logging,
        ]),
    tests(
        of: "TodoWeb",
        [
            "Compression", "Concurrency", "HTTPTransport", "StructuredData", "WebDriver", httpTypes, hummingbird,
            lifecycle,
            logging,
        ], exclude: ["Scripts"]),
    .target(
        name: "ObjectHealth", dependencies: ["ChildProcess", "StructuredData"], path: "Tests/Support/ObjectHealth",
        swiftSettings: settings),
    tests(of: "TodoResources", ["KubernetesClient", "StructuredData"]),
    tests(
        of: "TodoOperator",
        [
            "APIServer", "ChildProcess", "Concurrency", "ControllerRuntime", "HTTPTransport", "KubernetesClient",
            "ObjectHealth", "Postgres", "PostgresServer",
            "StructuredData", "Telemetry", "TodoModel", "TodoResources", "TodoStore", httpTypes, logging, metrics,
        ], exclude: ["Golden"]),
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "todo", "ChildProcess", "Concurrency", "HTTPTransport", "KubernetesClient", "ObjectHealth", "Postgres",
            "PostgresServer", "SMTPServer", "StructuredData", "WebDriver", "WebSocketClient", "WebhookReceiver",
            httpTypes,
        ],
        path: "Tests/EndToEndTests", exclude: ["Scripts"], swiftSettings: settings),
]

let package = Package(
    name: "todo-operator",
    products: [.executable(name: "todo", targets: ["todo"])]
        + (kit + kubernetes).map { .library(name: $0.name, targets: [$0.name]) }
        // For the benchmarks and the fuzzer.
        + [
            "AuditService", "CEpoll", "Dapr", "NotificationService", "RealtimeService", "TodoModel", "TodoStore",
            "TodoWorkers", "WebSocketClient",
        ].map {
            .library(name: $0, targets: [$0])
        },
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: system + kit + kubernetes + todo + allTests,
    swiftLanguageModes: [.v6]
)
