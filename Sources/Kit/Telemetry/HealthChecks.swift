/// Why a component is not live or not ready, in words for the person who has to act.
public struct HealthFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Named checks behind `/livez` and `/readyz`.
public struct HealthChecks: Sendable {
    /// Throws when the component is unhealthy. Whoever probes sees the error's text: no secrets in it.
    public typealias Check = @Sendable () async throws -> Void

    private let checks: [(name: String, check: Check)]

    public init(_ checks: [(name: String, check: Check)] = []) { self.checks = checks }

    public struct Report: Sendable {
        public let isHealthy: Bool
        /// One line for each check, `[+]name ok` or `[-]name failed: why`, as kube-apiserver prints them.
        public let text: String

        /// What a probe is answered, as kube-apiserver does: `ok`, or the report when it is asked for or something failed.
        public func body(verbose: Bool) -> String { verbose || !isHealthy ? text : "ok" }
    }

    public func run() async -> Report {
        var lines: [String] = []
        var healthy = true
        for (name, check) in checks {
            do {
                try await check()
                lines.append("[+]\(name) ok")
            } catch {
                healthy = false
                lines.append("[-]\(name) failed: \(error)")
            }
        }
        lines.append(healthy ? "healthz check passed" : "healthz check failed")
        return Report(isHealthy: healthy, text: lines.joined(separator: "\n") + "\n")
    }
}
