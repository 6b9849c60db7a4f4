internal import Concurrency
internal import FoundationEssentials
internal import HTTPTypes
internal import ServiceHTTP

/// Lets everybody take one export at a time, and not too many people at once: each has some megabytes on their way.
final class ExportGate: Sendable {
    private static let limit = 8

    private let people = Lock<Set<UUID>>([])

    /// Throws 429 or 503 with `Retry-After`.
    func enter(_ user: UUID) throws -> Pass {
        try people.withLock { people in
            guard !people.contains(user) else {
                throw Problem(
                    .tooManyRequests, "another export of yours is under way; try again when it is done",
                    headers: [.retryAfter: "5"])
            }
            guard people.count < Self.limit else { throw Problem.unavailable("too many exports; try again") }
            people.insert(user)
        }
        return Pass(self, user)
    }

    private func leave(_ user: UUID) { people.withLock { _ = $0.remove(user) } }

    /// Ends when nobody has it any more, too: an answer can be dropped before it is written.
    final class Pass: Sendable {
        private let gate: Lock<ExportGate?>
        private let user: UUID

        fileprivate init(_ gate: ExportGate, _ user: UUID) {
            self.gate = Lock(gate)
            self.user = user
        }

        deinit { end() }

        func end() {
            let gate = self.gate.withLock { gate in
                defer { gate = nil }
                return gate
            }
            gate?.leave(user)
        }
    }
}
