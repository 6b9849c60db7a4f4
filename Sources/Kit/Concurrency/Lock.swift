#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A value behind a pthread mutex.
///
/// `Synchronization.Mutex` reports false races under the thread sanitizer on Linux; a pthread mutex is understood by it.
/// Hold it for a few instructions: never across an `await`, never while calling code that may take it again.
public final class Lock<Value>: @unchecked Sendable {  // the mutex is the synchronisation that the compiler cannot see
    /// The mutex sees to it that accesses exclude each other.
    @exclusivity(unchecked) @usableFromInline var value: Value
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    public init(_ value: sending Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        let status = pthread_mutex_init(mutex, nil)
        precondition(status == 0, "pthread_mutex_init failed with \(status)")
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    @usableFromInline func lock() { pthread_mutex_lock(mutex) }

    @usableFromInline func unlock() { pthread_mutex_unlock(mutex) }

    @usableFromInline func lockIfAvailable() -> Bool { pthread_mutex_trylock(mutex) == 0 }

    /// Runs `body` with exclusive access to the value and returns what it returns.
    @inlinable public func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        lock()
        defer { unlock() }
        return try body(&value)
    }

    /// As `withLock`, but does not wait: nil, without having run `body`, while somebody else has the access.
    @inlinable public func withLockIfAvailable<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result? {
        guard lockIfAvailable() else { return nil }
        defer { unlock() }
        return try body(&value)
    }
}
