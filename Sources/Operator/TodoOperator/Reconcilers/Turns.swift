internal import Concurrency
internal import ControllerRuntime

/// Lets a few objects at a time do something slow, first come first served, without a pass that waits: a pass that gets no
/// turn ends, and its object is called when it has one.
final class Turns: Sendable {
    private enum Turn {
        /// For the pass that the call brings.
        case called
        case taken
    }

    private struct State {
        var turns: [ObjectKey: Turn] = [:]
        /// Those without a turn, with their places in line.
        var line: [ObjectKey: Int] = [:]
        var nextPlace = 0
        var call: @Sendable (ObjectKey) -> Void = { _ in }
    }

    private let atOnce: Int
    private let state = Lock(State())

    init(atOnce: Int) { self.atOnce = atOnce }

    /// - Parameter call: brings a pass for an object whose turn has come.
    func prepare(_ call: @escaping @Sendable (ObjectKey) -> Void) { state.withLock { $0.call = call } }

    /// Around each pass, so that a turn passes on from an object that no longer has a use for it.
    func during<Result: Sendable>(
        passOf key: ObjectKey, _ pass: () async throws -> Result
    ) async rethrows -> Result {
        state.withLock { if $0.turns[key] == .called { $0.turns[key] = .taken } }
        defer { end(key) }
        return try await pass()
    }

    /// Whether it is the object's turn, until `end` or the end of the pass. If not, the object is called.
    func take(_ key: ObjectKey) -> Bool {
        state.withLock { state in
            guard state.turns[key] != nil || state.turns.count < atOnce else {
                if state.line[key] == nil {
                    state.line[key] = state.nextPlace
                    state.nextPlace += 1
                }
                return false
            }
            state.line[key] = nil
            state.turns[key] = .taken
            return true
        }
    }

    /// A turn that was called meanwhile is for the next pass.
    func end(_ key: ObjectKey) {
        let (called, call) = state.withLock { state in
            if state.turns[key] == .taken { state.turns[key] = nil }
            var called: [ObjectKey] = []
            while state.turns.count < atOnce, let next = state.line.min(by: { $0.value < $1.value })?.key {
                state.line[next] = nil
                state.turns[next] = .called
                called.append(next)
            }
            return (called, state.call)
        }
        for key in called { call(key) }
    }

    /// The object is gone.
    func leave(_ key: ObjectKey) { state.withLock { $0.line[key] = nil } }
}
