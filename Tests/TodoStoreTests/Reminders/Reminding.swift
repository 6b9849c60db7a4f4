import FoundationEssentials
import Postgres
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

/// Stores whose workers' statements are run by hand, at whatever time a test likes.
struct Reminding {
    let stores: Stores
    var database: TodoDatabase { stores.database }

    static func with(_ body: (Reminding) async throws -> Void) async throws {
        try await Stores.with { stores in
            _ = try await stores.database.plan.checkZones()
            try await body(Reminding(stores: stores))
        }
    }

    /// Plans all that is noted.
    @discardableResult
    func plan(now: Instant = .now()) async throws -> PlanStore.Step {
        var total = PlanStore.Step()
        while case .planned(let step) = try await database.plan.step(now: now, until: .farFuture) {
            total = total + step
        }
        return total
    }

    func fire(at now: Instant, limit: Int = FireStore.batch) async throws -> FireStore.Claim {
        try await database.firing.claim(.at(now, limit: limit))
    }

    func list(_ state: PlannedReminder.State, of user: User) async throws -> [PlannedReminder] {
        try await database.reminders.page(state, limit: 100, of: user.id).reminders
    }

    /// The reminder events in the outbox, oldest first.
    func events() async throws -> [ReminderEvent] {
        try await stores.home.server.psql(
            "SELECT body FROM outbox WHERE topic = 'reminder-events' ORDER BY id", database: stores.home.name
        ).split(separator: "\n").map { try ReminderEvent(JSON(parsing: Array($0.utf8))) }
    }

    func move(_ user: User, to zone: String) async throws {
        _ = try await database.accounts.update(user.id, .with { $0.zone = zone })
    }
}

extension Instant {
    static let farFuture = Instant("2999-01-01T00:00:00Z") ?? .now()

    static func at(_ text: String) throws -> Instant { try #require(Instant(text)) }
}

extension FireStore.Order {
    /// Of all that is due at `now`, whatever was missed.
    static func at(_ now: Instant, limit: Int = FireStore.batch, until deadline: Instant = .farFuture) -> Self {
        .init(
            after: nil, through: now, now: now, missedBefore: now.advanced(by: .seconds(-60)), deadline: deadline,
            limit: limit)
    }
}

extension Due {
    static func at(_ text: String, zone: String? = nil) throws -> Due {
        let parts = text.split(separator: " ").map(String.init)
        return Due(
            date: try #require(CivilDate(parts[0])), time: parts.count > 1 ? TimeOfDay(parts[1]) : nil, zone: zone)
    }
}

extension Reminding {
    func sql(_ text: String) async throws -> String {
        try await stores.home.server.psql(text, database: stores.home.name)
    }

    /// A task of somebody's that is due.
    func task(
        _ title: String, due: String, zone: String? = nil, of user: User? = nil,
        _ configure: (inout TodoTask.Draft) -> Void = { _ in }
    ) async throws -> TodoTask {
        try await stores.create(title, by: user ?? stores.ada) {
            $0.due = try? .at(due, zone: zone)
            configure(&$0)
        }
    }

    /// A reminder of Ada's.
    @discardableResult
    func remind(_ task: TodoTask, minutes: Int = 0, repeating: Int? = nil) async throws -> Reminder {
        try await database.reminders.create(
            .init(when: .before(.due, minutes: minutes), repeatMinutes: repeating), of: task.id, by: stores.ada.id)
    }

    func change(_ task: TodoTask, by user: User? = nil, _ configure: (inout TodoTask.Patch) -> Void) async throws {
        _ = try await database.tasks.update(
            task.id, .with(configure), by: stores.operation(by: user ?? stores.ada))
    }

    func policy(_ schedule: ReminderPolicy.Schedule, _ configure: (inout ReminderPolicy) -> Void = { _ in })
        async throws -> ReminderPolicy
    {
        var policy = ReminderPolicy(id: database.makeID(), namespace: "todo", name: "p", schedule: schedule)
        configure(&policy)
        try await database.policies.upsert(policy)
        return policy
    }
}
