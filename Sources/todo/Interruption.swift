import Glibc
import UnixSignals

/// What Ctrl-C and `kill` do to a command that runs until it is told to stop.
enum Interruption {
    /// Runs `work`. The first SIGINT or SIGTERM cancels it, and what it throws then is no failure; a second one ends this
    /// process at once, and its children with it.
    static func cancels(_ work: @escaping @Sendable () async throws -> Void, saying text: String) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let working = Task { try await work() }
        let watching = Task {
            for await signal in signals {
                if working.isCancelled { _exit(128 + signal.rawValue) }
                working.cancel()
                OneMachine.say(text)
            }
        }
        defer { watching.cancel() }
        do { try await working.value } catch  where working.isCancelled {}
    }

    /// Runs `body`, then `last`, also when `body` failed or was cancelled.
    static func run(_ body: () async throws -> Void, finally last: () async -> Void) async throws {
        do {
            try await body()
        } catch {
            await last()
            throw error
        }
        await last()
    }
}
