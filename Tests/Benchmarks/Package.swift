// swift-tools-version: 6.1
import Foundation
import PackageDescription

// Benchmarks print figures; they are no tests. A package of their own, so that users of the main package build none of
// what is only compared with.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A library of the main package.
func main(_ name: String) -> Target.Dependency { .product(name: name, package: "todo-operator") }

/// An executable in `<folder>`.
func benchmark(
    _ name: String, in folder: String, _ dependencies: [Target.Dependency], _ extra: [SwiftSetting] = [],
    excluding files: [String] = []
) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: folder, exclude: files, swiftSettings: settings + extra)
}

// async-http-client takes minutes to build: only when asked for.
let comparesAHC = ProcessInfo.processInfo.environment["TODO_BENCH_AHC"] == "1"
let ahcPackages: [Package.Dependency] =
    comparesAHC ? [.package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0")] : []
let ahc: [Target.Dependency] =
    comparesAHC ? [.product(name: "AsyncHTTPClient", package: "async-http-client")] : []

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "todo-operator", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ] + ahcPackages,
    targets: [
        benchmark("json-bench", in: "StructuredData", [main("StructuredData")]),
        benchmark(
            "cluster-bench", in: "LocalCluster",
            [
                main("APIServer"), main("HTTPTransport"), main("StructuredData"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        benchmark(
            "operator-bench", in: "Operator",
            [main("KubernetesClient"), main("LocalPostgres"), main("ChildProcess"), main("StructuredData")]),
        benchmark(
            "tasks-bench", in: "Tasks",
            [
                main("ChildProcess"), main("Concurrency"), main("LocalPostgres"), main("Postgres"),
                main("StructuredData"), main("TodoStore"),
            ], excluding: ["data.sql", "sample.sql"]),
        benchmark(
            "postgres-bench", in: "Postgres",
            [main("Postgres"), main("LocalPostgres"), main("ChildProcess"), main("Concurrency")]),
        benchmark(
            "recurrence-bench", in: "Recurrence", [main("ChildProcess"), main("Recurrence"), main("StructuredData")]),
        benchmark(
            "audit-bench", in: "Audit",
            [main("AuditService"), main("Dapr"), main("LocalPostgres"), main("Postgres"), main("Telemetry")]
                + [.product(name: "Logging", package: "swift-log")]),
        benchmark(
            "realtime-bench", in: "Realtime",
            [
                main("CEpoll"), main("ChildProcess"), main("Concurrency"), main("HTTPTransport"),
                main("RealtimeService"), main("StructuredData"), main("Telemetry"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        benchmark(
            "reminders-bench", in: "Reminders",
            [
                main("Concurrency"), main("Dapr"), main("DaprSidecar"), main("KubernetesClient"), main("LocalPostgres"),
                main("Postgres"), main("StructuredData"), main("TodoModel"), main("TodoStore"), main("TodoWorkers"),
                main("TopicLog"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ]),
        benchmark(
            "sync-bench", in: "Sync",
            [
                main("ChildProcess"), main("Concurrency"), main("DaprSidecar"), main("HTTPTransport"),
                main("KubernetesClient"), main("LocalPostgres"), main("StructuredData"), main("TodoModel"),
                main("TodoStore"), main("TopicLog"), main("WebSocketClient"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        benchmark(
            "http-bench", in: "HTTPTransport", [main("HTTPTransport"), main("ChildProcess")] + ahc,
            comparesAHC ? [.define("AHC")] : []),
        benchmark(
            "dapr-bench", in: "DaprSidecar",
            [
                main("Concurrency"), main("DaprSidecar"), main("HTTPTransport"), main("KubernetesClient"),
                main("StructuredData"), main("TopicLog"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
