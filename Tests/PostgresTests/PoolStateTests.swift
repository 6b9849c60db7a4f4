import Testing

@testable import Postgres

@Suite struct PoolStateTests {
    let start = Duration.zero
    let old = Duration.seconds(1000)

    func state(size: Int) -> PoolState { PoolState(limits: .init(size: size)) }

    /// A pool in which `count` connections have been opened and are idle.
    func idleState(size: Int, count: Int) -> PoolState {
        var state = state(size: size)
        for waiter in 0..<count { _ = state.acquire(waiter, now: start) }
        for id in 1...count { _ = state.opened(id, expiry: old, now: start) }
        for id in 1...count { _ = state.release(id, isUsable: true, now: start) }
        return state
    }

    @Test func `connections are opened for those who wait, up to the size`() {
        var state = state(size: 2)
        #expect(state.acquire(1, now: start) == .wait(open: [1]))
        #expect(state.acquire(2, now: start) == .wait(open: [2]))
        #expect(state.acquire(3, now: start) == .wait(open: []))
        #expect(state.opened(1, expiry: old, now: start) == (.hand(to: 1), open: []))
        #expect(state.release(1, isUsable: true, now: start) == (.hand(to: 2), open: []))
        #expect(state.opened(2, expiry: old, now: start) == (.hand(to: 3), open: []))
        #expect(state.statistics == .init(open: 2, leased: 2, waiting: 0))
    }

    @Test func `the connection used last is lent first`() {
        var state = idleState(size: 3, count: 3)
        #expect(state.acquire(9, now: .seconds(2)) == .lease(3, idleFor: .seconds(2)))
        #expect(state.acquire(9, now: .seconds(2)) == .lease(2, idleFor: .seconds(2)))
    }

    @Test func `a connection that is old or unusable is closed, and replaced for who waits`() {
        var state = idleState(size: 1, count: 1)
        #expect(state.acquire(1, now: start) == .lease(1, idleFor: .zero))
        #expect(state.acquire(2, now: start) == .wait(open: []))
        #expect(state.release(1, isUsable: false, now: start) == (.close, open: [2]))
        #expect(state.opened(2, expiry: old, now: start) == (.hand(to: 2), open: []))
        #expect(state.release(2, isUsable: true, now: old) == (.close, open: []))
        #expect(state.isEmpty)
    }

    @Test func `while the server refuses, one attempt goes on for all`() {
        var state = state(size: 4)
        _ = state.acquire(1, now: start)
        _ = state.acquire(2, now: start)
        #expect(state.openFailed(1, isPermanent: false) == .retry)
        #expect(state.acquire(3, now: start) == .wait(open: []))
        #expect(state.shouldRetry(1) == true)
        #expect(state.opened(1, expiry: old, now: start) == (.hand(to: 1), open: [3]))
    }

    @Test func `what cannot succeed fails all who wait`() {
        var state = state(size: 1)
        _ = state.acquire(1, now: start)
        _ = state.acquire(2, now: start)
        #expect(state.openFailed(1, isPermanent: true) == .fail([1, 2]))
        #expect(state.isEmpty)
    }

    @Test func `an attempt that nobody wants any more is dropped`() {
        var state = state(size: 1)
        _ = state.acquire(1, now: start)
        #expect(state.openFailed(1, isPermanent: false) == .retry)
        #expect(state.forget(1) && !state.forget(1))
        #expect(!state.shouldRetry(1) && state.isEmpty)
    }

    @Test func `unused and old idle connections expire`() {
        var state = idleState(size: 3, count: 3)
        _ = state.acquire(9, now: start)
        _ = state.release(3, isUsable: true, now: .seconds(200))
        #expect(state.expire(now: .seconds(299)) == [])
        #expect(state.expire(now: .seconds(300)) == [1, 2])
        #expect(state.hasIdle)
        #expect(state.expire(now: .seconds(500)) == [3] && state.isEmpty)
    }

    @Test func `a connection lost while idle is not lent`() {
        var state = idleState(size: 2, count: 2)
        #expect(state.lost(2) == [])
        #expect(state.acquire(9, now: start) == .lease(1, idleFor: .zero))
        #expect(state.acquire(10, now: start) == .wait(open: [3]))
    }

    @Test func `a closed pool lends nothing and ends with the last lease`() {
        var state = idleState(size: 2, count: 2)
        _ = state.acquire(8, now: start)
        let (connections, waiters) = state.close()
        #expect(connections == [1] && waiters.isEmpty && !state.isEmpty)
        #expect(state.acquire(9, now: start) == .closed)
        #expect(state.release(2, isUsable: true, now: start) == (.close, open: []))
        #expect(state.isEmpty)
    }
}
