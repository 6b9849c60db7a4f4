public import ControllerRuntime
public import FoundationEssentials
public import TodoModel
public import TodoResources
public import TodoStore

/// How the database of an app is reached.
public struct AppDatabase: Sendable, Hashable {
    public var uri: String
    public var tlsMode: TodoApp.TLSMode
    /// The same database without the pooler in transaction mode that `uri` leads through; nil when there is none.
    public var directURI: String?

    public init(uri: String, tlsMode: TodoApp.TLSMode, directURI: String? = nil) {
        self.uri = uri
        self.tlsMode = tlsMode
        self.directURI = directURI == uri ? nil : directURI
    }
}

/// How the workers of an app are.
public enum WorkerState: Sendable, Equatable {
    case starting
    case running
    /// They ended, and are started again after a while.
    case failed(String)
}

/// Runs the workers of apps inside this process, those of each app by themselves: one bad app stops no other.
public protocol WorkerSupervising: Sendable {
    /// To be called first.
    ///
    /// - Parameters:
    ///   - leaseCheck: throws unless this process may go on writing for five seconds more.
    ///   - onChange: told of every app whose workers are no longer as `run` said.
    func prepare(
        leaseCheck: @escaping @Sendable () throws -> Void, onChange: @escaping @Sendable (ObjectKey) -> Void)

    /// From now on the workers of `app` work on this database; on another one they end first. Says how they are.
    func run(_ app: ObjectKey, on database: AppDatabase) -> WorkerState

    /// The workers of `app` end.
    func stop(_ app: ObjectKey)
}

/// Keeps the policies that ReminderSchedules are compiled into in the databases of apps.
public protocol PolicyKeeping: Sendable {
    /// Makes the policy so and says what has come of it. Throws `DatabaseProblem`.
    func apply(_ policy: ReminderPolicy, in database: AppDatabase) async throws -> PolicyStore.Status

    /// Those of all ReminderSchedules of the namespace. Throws `DatabaseProblem`.
    func policies(of namespace: String, in database: AppDatabase) async throws -> Set<UUID>

    /// From then on none of its reminders fires. Throws `DatabaseProblem`.
    func remove(_ id: UUID, from database: AppDatabase) async throws
}
