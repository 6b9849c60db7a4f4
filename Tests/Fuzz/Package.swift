// swift-tools-version: 6.1
import PackageDescription

// libFuzzer on the parsers; `make fuzz` builds and runs it. A package of its own, for all that it stands on is built again
// with the instructions that libFuzzer counts.

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func nio(_ name: String) -> Target.Dependency { .product(name: name, package: "swift-nio") }

/// A library of the main package.
func main(_ name: String) -> Target.Dependency { .product(name: name, package: "todo-operator") }

let package = Package(
    name: "fuzz",
    dependencies: [
        .package(name: "todo-operator", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .systemLibrary(name: "CFuzzer", path: "CFuzzer"),
        // What reads a client's messages, alone: the whole service would take many times as long to build.
        .target(
            name: "RealtimeProtocol",
            dependencies: [main("StructuredData"), nio("NIOCore"), nio("NIOWebSocket")],
            path: "RealtimeProtocol",
            exclude: ["ConnectionState.swift", "LiveEvent.swift", "ServerFrame.swift"],
            swiftSettings: settings),
        // Where webhooks may go, alone, for the same reason.
        .target(
            name: "WebhookAddresses",
            dependencies: [main("Concurrency"), main("HTTPTransport")],
            path: "WebhookAddresses", swiftSettings: settings),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer", "RealtimeProtocol", "WebhookAddresses", main("KubernetesSchema"), main("Recurrence"),
                main("StructuredData"),
                main("TodoModel"),
                nio("NIOCore"), nio("NIOWebSocket"),
            ], path: "Targets", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
