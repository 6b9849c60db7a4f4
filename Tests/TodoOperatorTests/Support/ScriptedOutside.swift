import Concurrency
import ControllerRuntime
import Foundation
import TodoModel
import TodoOperator
import TodoResources
import TodoStore

/// A database that is as the test says.
final class ScriptedDatabase: DatabasePreparing {
    private let problem = Lock<DatabaseProblem?>(nil)
    let prepared = Lock<[String]>([])
    /// While it is closed there is no answer.
    let gate = Latch()

    init() { gate.open() }

    func fail(_ problem: DatabaseProblem?) { self.problem.withLock { $0 = problem } }

    func prepare(uri: String, tlsMode: TodoApp.TLSMode) async throws(DatabaseProblem) -> Int {
        prepared.withLock { $0.append("\(uri) \(tlsMode.rawValue)") }
        try? await gate.wait()  // a pass that is cancelled goes on to its end
        if let problem = problem.withLock({ $0 }) { throw problem }
        return 1
    }
}

/// Policies in memory, with what came of them as the test says.
final class ScriptedPolicies: PolicyKeeping {
    private let problem = Lock<DatabaseProblem?>(nil)
    let kept = Lock<[UUID: ReminderPolicy]>([:])
    let outcome = Lock(
        PolicyStore.Status(
            planned: 3, fired: 2, late: 1, expired: 1, delivered: 2, failed: 0,
            nextFire: Instant("2026-01-02T08:00:00.5Z"), lastFire: nil, latenessP99: .milliseconds(5),
            isPlanning: false))

    func fail(_ problem: DatabaseProblem?) { self.problem.withLock { $0 = problem } }

    func apply(_ policy: ReminderPolicy, in database: AppDatabase) async throws -> PolicyStore.Status {
        if let problem = problem.withLock({ $0 }) { throw problem }
        kept.withLock { $0[policy.id] = policy }
        return outcome.withLock { $0 }
    }

    func policies(of namespace: String, in database: AppDatabase) async throws -> Set<UUID> {
        if let problem = problem.withLock({ $0 }) { throw problem }
        return kept.withLock { Set($0.values.filter { $0.namespace == namespace }.map(\.id)) }
    }

    func remove(_ id: UUID, from database: AppDatabase) async throws {
        if let problem = problem.withLock({ $0 }) { throw problem }
        kept.withLock { $0[id] = nil }
    }
}

/// Workers that are as the test says.
final class ScriptedWorkers: WorkerSupervising {
    private let state = Lock(WorkerState.running)
    private let onChange = Lock<@Sendable (ObjectKey) -> Void>({ _ in })
    let databases = Lock<[ObjectKey: AppDatabase]>([:])

    func prepare(
        leaseCheck: @escaping @Sendable () throws -> Void, onChange: @escaping @Sendable (ObjectKey) -> Void
    ) {
        self.onChange.withLock { $0 = onChange }
    }

    func become(_ state: WorkerState) {
        self.state.withLock { $0 = state }
        for app in databases.withLock({ Array($0.keys) }) { onChange.withLock { $0 }(app) }
    }

    func run(_ app: ObjectKey, on database: AppDatabase) -> WorkerState {
        databases.withLock { $0[app] = database }
        return state.withLock { $0 }
    }

    func stop(_ app: ObjectKey) { databases.withLock { $0[app] = nil } }
}
