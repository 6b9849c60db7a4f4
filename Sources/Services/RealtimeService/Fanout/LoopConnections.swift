internal import FoundationEssentials
internal import NIOCore

/// The connections of one event loop. Only used on it.
final class LoopConnections {
    /// All that are open.
    private var open: [ObjectIdentifier: WebSocketConnection] = [:]
    /// Those that events are passed on to, by person.
    private var subscribers: [UUID: [WebSocketConnection]] = [:]

    func add(_ connection: WebSocketConnection) { open[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: WebSocketConnection) { open[ObjectIdentifier(connection)] = nil }

    func subscribe(_ connection: WebSocketConnection, _ user: UUID) {
        subscribers[user, default: []].append(connection)
    }

    func unsubscribe(_ connection: WebSocketConnection, _ user: UUID) {
        guard var left = subscribers.removeValue(forKey: user) else { return }
        left.removeAll { $0 === connection }
        if !left.isEmpty { subscribers[user] = left }
    }

    /// Returns how many frames were written.
    func deliver(_ batch: [Addressed], at now: NIODeadline) -> Int {
        var written = 0
        var unflushed: [WebSocketConnection] = []
        let isAlone = batch.count == 1
        for addressed in batch {
            for member in addressed.members {
                for connection in subscribers[member] ?? []
                where connection.deliver(addressed.event, flushes: isAlone, at: now) {
                    written += 1
                    if !isAlone { unflushed.append(connection) }
                }
            }
        }
        // One system call for all that the batch has for a connection; for those that come up again there is nothing left.
        for connection in unflushed { connection.flush() }
        return written
    }

    /// Sends each frame to the person's connections. Returns how many were written.
    func tell(_ batch: [(user: UUID, frame: ByteBuffer)]) -> Int {
        var written = 0
        for (user, frame) in batch {
            for connection in subscribers[user] ?? [] where connection.tell(frame) { written += 1 }
        }
        return written
    }

    /// Those that are not subscribed yet ask for changes when they are, and so whether they may.
    func doubt(_ people: Set<UUID>) {
        for person in people {
            for connection in subscribers[person] ?? [] { connection.doubt() }
        }
    }

    func tick(at now: NIODeadline) {
        for connection in open.values { connection.tick(at: now) }
    }

    func drain(within window: TimeAmount) {
        for connection in open.values {
            connection.drain(after: .nanoseconds(.random(in: 0...max(0, window.nanoseconds))))
        }
    }
}
