internal import Concurrency

/// A schema that is read when first asked for: definitions refer to each other in circles, and few are ever used.
final class LazySchema: Sendable {
    private enum State: Sendable {
        case unread(@Sendable () -> Schema?)
        case read(Schema?)
    }

    private let state: Lock<State>

    init(_ read: @escaping @Sendable () -> Schema?) {
        state = Lock(.unread(read))
    }

    /// Nil when it refers to a definition that is not there.
    var schema: Schema? {
        let read: @Sendable () -> Schema?
        switch state.withLock({ $0 }) {
        case .read(let schema): return schema
        case .unread(let closure): read = closure
        }
        let schema = read()
        return state.withLock { state in
            if case .read(let earlier) = state { return earlier }
            state = .read(schema)
            return schema
        }
    }
}
