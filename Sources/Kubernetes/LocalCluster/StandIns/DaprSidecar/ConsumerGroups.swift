internal import Concurrency

/// Shares out the partitions of a topic among the members of a group, each to one at a time.
///
/// A member is told its partitions whenever members come or go. It gets hold of one with `enter`, which waits until the
/// member that had it before has called `exit`: so no two deliver from a partition at once, and order is kept.
final class ConsumerGroups: Sendable {
    struct Key: Hashable, Sendable {
        let group: String
        let topic: String
    }

    private struct Waiter {
        let ticket: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct Group {
        let partitions: Int
        var members: [(id: UInt64, assign: @Sendable (Set<Int>) -> Void)] = []

        /// Neighbouring partitions each, as even as can be.
        func share() {
            for (index, member) in members.enumerated() {
                let first = index * partitions / members.count
                let end = (index + 1) * partitions / members.count
                member.assign(Set(first..<end))
            }
        }
    }

    private struct State {
        var nextID: UInt64 = 0
        var groups: [Key: Group] = [:]
        /// Partitions in use, with those who want them next.
        var busy: [Partition: [Waiter]] = [:]
    }

    private struct Partition: Hashable {
        let key: Key
        let number: Int
    }

    private let state = Lock(State())

    /// - Parameter assign: called in order with the member's partitions; it must not wait nor call back.
    func join(_ key: Key, partitions: Int, assign: @escaping @Sendable (Set<Int>) -> Void) -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            state.groups[key, default: Group(partitions: partitions)].members.append((state.nextID, assign))
            state.groups[key]?.share()
            return state.nextID
        }
    }

    func leave(_ key: Key, _ id: UInt64) {
        state.withLock { state in
            state.groups[key]?.members.removeAll { $0.id == id }
            if state.groups[key]?.members.isEmpty ?? true {
                state.groups[key] = nil
            } else {
                state.groups[key]?.share()
            }
        }
    }

    /// Returns true when the caller has the partition, false when its task was cancelled first.
    func enter(_ key: Key, _ number: Int) async -> Bool {
        let partition = Partition(key: key, number: number)
        let ticket = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if Task.isCancelled { return false }
                    guard state.busy[partition] != nil else {
                        state.busy[partition] = []
                        return true
                    }
                    state.busy[partition]?.append(Waiter(ticket: ticket, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.busy[partition]?.firstIndex(where: { $0.ticket == ticket }) else { return nil }
                return state.busy[partition]?.remove(at: index)
            }
            waiter?.continuation.resume(returning: false)
        }
    }

    func exit(_ key: Key, _ number: Int) {
        let partition = Partition(key: key, number: number)
        let next = state.withLock { state -> Waiter? in
            guard state.busy[partition]?.isEmpty == false else {
                state.busy[partition] = nil
                return nil
            }
            return state.busy[partition]?.removeFirst()
        }
        next?.continuation.resume(returning: true)
    }
}
