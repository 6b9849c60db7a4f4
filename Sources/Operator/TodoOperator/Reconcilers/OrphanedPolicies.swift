internal import Concurrency
internal import ControllerRuntime
internal import FoundationEssentials
internal import KubernetesClient
internal import Logging
internal import TodoResources

/// Policies that outlived their ReminderSchedule: it went after its app, or while the database could not be reached. They
/// are looked for once whenever an app gets its database, before they could remind anybody again.
final class OrphanedPolicies: Sendable {
    private struct Search: Equatable {
        let database: AppDatabase
        /// The app's uid: another one of its name may come without a pass in between.
        let app: String
    }

    private let policies: any PolicyKeeping
    private let searched = Lock<[ObjectKey: Search]>([:])

    init(in policies: any PolicyKeeping) { self.policies = policies }

    /// The next database of the app is looked at, also if it is the same.
    func forget(_ app: ObjectKey) { searched.withLock { $0[app] = nil } }

    /// Removes those of the app's namespace: the schedules of others are not known here. Throws `DatabaseProblem`.
    func remove(from database: AppDatabase, _ context: ReconcileContext) async throws {
        let search = Search(database: database, app: context.object?.uid ?? "")
        guard searched.withLock({ $0[context.key] }) != search else { return }
        let namespace = context.key.namespace ?? ""
        // Before the schedules: one that is made meanwhile has its policy later.
        let found = try await policies.policies(of: namespace, in: database)
        do {
            for id in try await orphans(among: found, namespace, context) {
                try await policies.remove(id, from: database)
                context.logger.info("removed the policy of a ReminderSchedule that is gone", metadata: ["uid": "\(id)"])
            }
        } catch let error as APIError {
            context.logger.warning("policies of ReminderSchedules that are gone stay until the next pass: \(error)")
            return
        }
        searched.withLock { $0[context.key] = search }
    }

    /// Asks the server, not a cache, which may lack what another process has just seen.
    private func orphans(
        among policies: Set<UUID>, _ namespace: String, _ context: ReconcileContext
    ) async throws -> Set<UUID> {
        guard !policies.isEmpty else { return [] }
        let schedules = try await context.client.list(
            TodoGroup.reminderSchedule, namespace: namespace, options: ListOptions())
        return policies.subtracting(schedules.items.compactMap { UUID(uuidString: $0.uid) })
    }
}
