internal import Concurrency

/// A write was refused because this process does not lead, or leads no longer.
public struct FenceError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
    public init(_ description: String = "not the leader: the lease is not held or its validity has passed") {
        self.description = description
    }
}

/// Says whether this process may write. Asked before every write.
public protocol Fence: Sendable {
    /// Throws `FenceError` unless writing is allowed now.
    func check() throws(FenceError)
    /// Whether `check` would pass.
    var isOpen: Bool { get }
    /// Until when writing is allowed at the most; nil for ever.
    var validUntil: Instant? { get }
}

/// Always allows: for a process that runs without election.
public struct OpenFence: Fence {
    public init() {}
    public func check() throws(FenceError) {}
    public var isOpen: Bool { true }
    public var validUntil: Instant? { nil }
}

/// Allows while the lease is valid by the monotonic clock, which goes on while the process is stopped. So a process
/// that was stopped past its lease and resumes writes nothing, whichever of its tasks runs first.
public final class LeaseFence: Fence {
    private struct State {
        var validUntil: Instant?
        var isRevoked = false
    }

    private let time: any TimeSource
    private let state = Lock(State())

    public init(time: any TimeSource = SystemTime()) { self.time = time }

    public var validUntil: Instant? {
        let now = time.now
        return state.withLock { $0.isRevoked ? now : $0.validUntil ?? now }
    }

    public var isOpen: Bool {
        let now = time.now
        return state.withLock { state in !state.isRevoked && state.validUntil.map { now < $0 } ?? false }
    }

    public func check() throws(FenceError) { guard isOpen else { throw FenceError() } }

    /// The lease was taken or renewed.
    func extend(until instant: Instant) { state.withLock { $0.validUntil = instant } }

    /// The lease is lost or given back; nothing opens this fence again.
    func revoke() { state.withLock { $0.isRevoked = true } }
}
