import Concurrency
import StructuredData

/// What the service said was done: every write that was acknowledged.
final class Ledger: Sendable {
    /// A change number of a person.
    struct Position: Hashable {
        let stream: String
        let seq: Int
    }

    private struct State {
        var answers = 0
        var positions: Set<Position> = []
        /// As it was last acknowledged, by id.
        var tasks: [String: JSON] = [:]
        var isClosed = false
    }

    private let state = Lock(State())

    /// Acknowledged requests.
    var answers: Int { state.withLock { $0.answers } }
    var positions: Set<Position> { state.withLock { $0.positions } }
    /// Writers end when they have an answer to what is under way.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func close() { state.withLock { $0.isClosed = true } }

    func record(_ tasks: [JSON]) {
        state.withLock { state in
            state.answers += 1
            for task in tasks {
                state.tasks[task["id"]?.string ?? ""] = task
                state.positions.insert(.init(stream: task["user"]?.string ?? "", seq: task["seq"]?.int ?? 0))
            }
        }
    }

    /// What this person must see: the own tasks, and those of the project that all share.
    func tasks(of person: APIUser, sharing project: String) -> [String: JSON] {
        state.withLock { state in
            state.tasks.filter { $1["user"]?.string == person.id || $1["project"]?.string == project }
        }
    }
}
