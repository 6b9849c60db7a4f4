public import ControllerRuntime
internal import FoundationEssentials
public import KubernetesClient
internal import Logging
internal import StructuredData
internal import TodoModel
internal import TodoResources

/// Compiles a `ReminderSchedule` into a policy in the database of its app, and tells what has come of it.
public struct ReminderScheduleReconciler: Sendable {
    /// The policy lives outside of the cluster.
    static let finalizer = "\(TodoGroup.name)/reminder-policy"
    /// How often what has come of the policy is looked at.
    private static let statusInterval = Duration.seconds(10)
    private static let retryInterval = Duration.seconds(10)

    private let policies: any PolicyKeeping
    private let shard: Shard
    private let now: @Sendable () -> KubernetesTime

    /// - Parameter now: the wall clock, for conditions.
    public init(
        policies: any PolicyKeeping, shard: Shard = .whole, now: @escaping @Sendable () -> KubernetesTime = { .now }
    ) {
        self.policies = policies
        self.shard = shard
        self.now = now
    }

    /// One pass. What the user can mend ends up in conditions; what is thrown is tried again with a back-off.
    public func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let object = context.object, try await !shard.isOthers(object, context) else {
            context.follow([])
            return .done
        }
        if object.isBeingDeleted { return try await leave(object, context) }
        let schedule: ReminderSchedule
        do {
            schedule = try ReminderSchedule(stored: object.json)
        } catch {
            try await publish(.refused(.invalidSpec, error.description), about: object, in: context)
            return .done
        }
        let observation = try await observe(schedule, uid: object.uid, context)
        try await publish(observation, about: object, in: context)
        switch observation {
        // The spec has to change first.
        case .refused: return .done
        case .waiting(.appNotFound, _): return .done
        case .waiting: return .requeue(after: Self.retryInterval)
        case .kept: return .requeue(after: Self.statusInterval)
        }
    }

    private func observe(
        _ schedule: ReminderSchedule, uid: String, _ context: ReconcileContext
    ) async throws -> ScheduleObservation {
        let policy: ReminderPolicy
        do { policy = try ReminderPolicy(schedule, uid: uid) } catch { return .refused(error.reason, error.message) }
        let name = schedule.spec.appRef.name
        let app: TodoApp
        switch context.app(name) {
        case .none:
            context.follow([])
            return .waiting(
                .appNotFound, "there is no TodoApp \(name) in this namespace; create it, or name another one")
        case .some(let found) where found.isBeingDeleted:
            return .waiting(.appNotReady, "TodoApp \(name) is being deleted")
        case .unreadable: return .waiting(.appNotReady, "TodoApp \(name) cannot be read: see its conditions")
        case .some(let found): app = found
        }
        guard app.isDatabaseReady else {
            return .waiting(.appNotReady, "waiting until the database of TodoApp \(name) is ready")
        }
        // Before there is a policy: it must not outlive its object.
        try await context.addFinalizer(Self.finalizer)
        do {
            return .kept(
                try await policies.apply(policy, in: try await database(of: app, context)),
                isSuspended: schedule.spec.suspend)
        } catch let problem as DatabaseProblem {
            return .waiting(.policyFailed, problem.message)
        }
    }

    private func database(of app: TodoApp, _ context: ReconcileContext) async throws -> AppDatabase {
        let reference = DatabaseSecret.reference(for: app)
        context.follow([reference])
        return try await DatabaseSecret.read(reference, for: app, in: context).database(of: app)
    }

    /// Removes the policy, as long as there is a database to remove it from, and lets the object go. The next app may have
    /// the same database, so an app that is going is no reason to leave the policy there; of one that is gone
    /// `OrphanedPolicies` removes it then.
    private func leave(_ object: KubernetesObject, _ context: ReconcileContext) async throws -> ReconcileResult {
        defer { context.follow([]) }
        guard object.finalizers.contains(Self.finalizer) else { return .done }
        let name = object.json.at("spec", "appRef", "name")?.string ?? ""
        let found = context.app(name)
        if case .unreadable = found, await !context.isNamespaceGoing() {
            context.logger.warning("the policy cannot be removed before TodoApp \(name) can be read again")
            return .requeue(after: Self.retryInterval)
        }
        if case .some(let app) = found, let uid = UUID(uuidString: object.uid) {
            do {
                try await policies.remove(uid, from: try await database(of: app, context))
            } catch let problem as DatabaseProblem where problem.reason != .secretNotFound {
                guard await context.isNamespaceGoing() else { throw problem }
                context.logger.warning("the policy stays in a database that is away", metadata: ["error": "\(problem)"])
            } catch is DatabaseProblem {
                context.logger.warning("the policy stays in a database whose Secret is gone")
            }
        }
        try await context.removeFinalizer(Self.finalizer)
        return .done
    }

    private func publish(
        _ observation: ScheduleObservation, about object: KubernetesObject, in context: ReconcileContext
    ) async throws {
        let previous = try? object.status?.decode(ReminderSchedule.Status.self)
        let status = ScheduleStatusRules.status(
            after: previous, generation: object.generation, seeing: observation, now: now().text)
        try await context.updateStatus(JSON(encoding: status))
        let (before, after) = (previous?.ready, status.ready)
        guard let after, after.reason != before?.reason else { return }
        let isExpected = if case .refused = observation { false } else { true }
        context.record(isExpected ? .normal : .warning, reason: after.reason, action: "Reconcile", after.message)
        context.logger.log(
            level: isExpected ? .info : .warning, "\(after.message)",
            metadata: ["ready": "\(after.status.rawValue)", "reason": "\(after.reason)"])
    }
}

extension ReminderSchedule.Status {
    fileprivate var ready: Condition? { conditions?.first { $0.type == ConditionType.ready.rawValue } }
}

extension TodoApp {
    /// It was migrated by this operator or another one.
    fileprivate var isDatabaseReady: Bool {
        status?.conditions?.contains { $0.type == ConditionType.databaseReady.rawValue && $0.status == .yes } ?? false
    }
}
