import Foundation
import KubernetesClient
import StructuredData
import Testing

/// Kills parts of a `todo up`.
struct Killer {
    enum Victim: String {
        case api, audit, notification, realtime, workers
        case database
        /// `todo up` itself. In it are the sidecars and the topic log that stand for Dapr and Kafka on one machine, the
        /// Kubernetes API and the operator; what it started, services and PostgreSQL, goes with it.
        case sidecars
    }

    let site: TodoUp
    /// Pods whose container was restarted already: the next time it would be so only after a pause.
    private var restarted: Set<String> = []

    init(_ site: TodoUp) { self.site = site }

    /// Kills one process of the victim, whatever that is doing, as soon as there is one.
    mutating func kill(_ victim: Victim, using random: inout SeededRandom) async throws {
        switch victim {
        case .sidecars:
            try await site.killAndRestart()
            restarted = []
        case .database: Foundation.kill(try await process("^/.*/postgres -D", using: &random), SIGKILL)
        case .api, .audit, .notification, .realtime, .workers:
            let process = try await process("serve \(victim.rawValue)$", using: &random)
            let environment = Command.text(of: "/proc/\(process)/environ").split(separator: "\0")
            Foundation.kill(process, SIGKILL)
            let pod = environment.first { $0.hasPrefix("HOSTNAME=") }?.dropFirst("HOSTNAME=".count)
            try await replace(String(try #require(pod)))
        }
    }

    private func process(_ pattern: String, using random: inout SeededRandom) async throws -> Int32 {
        try await eventually(within: .seconds(60), "a process \(pattern); \(site.process.output.suffix(2000))") {
            try await site.process.children(matching: pattern).randomElement(using: &random)
        }
    }

    /// The first time a container is restarted in its pod at once; later a new pod takes the place of the old one.
    private mutating func replace(_ pod: String) async throws {
        guard !restarted.insert(pod).inserted else { return }
        do {
            _ = try await site.client.delete(
                .pods, namespace: "todo", name: pod, options: DeleteOptions(gracePeriodSeconds: 0))
        } catch let error as APIError where error.isNotFound {}
    }
}
