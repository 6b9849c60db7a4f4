internal import Concurrency

/// A value that is made when first asked for: definitions refer to each other in circles, and few of them, or of the
/// rules of a custom resource, are ever used.
final class Lazy<Value: Sendable>: Sendable {
    private enum State: Sendable {
        case unmade(@Sendable () -> Value)
        case made(Value)
    }

    private let state: Lock<State>

    init(_ make: @escaping @Sendable () -> Value) {
        state = Lock(.unmade(make))
    }

    var value: Value {
        let make: @Sendable () -> Value
        switch state.withLock({ $0 }) {
        case .made(let value): return value
        case .unmade(let closure): make = closure
        }
        let value = make()
        return state.withLock { state in
            if case .made(let earlier) = state { return earlier }
            state = .made(value)
            return value
        }
    }
}
