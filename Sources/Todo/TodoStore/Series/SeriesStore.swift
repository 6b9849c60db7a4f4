internal import Crypto
public import FoundationEssentials
internal import Postgres
internal import StructuredData
internal import TodoModel

/// Tasks that repeat: whatever closes an instance makes the next.
///
/// Only the server makes instances. The id of one follows from its series and which it is, and writes to what a person
/// owns take turns; so many completions at once make one.
public struct SeriesStore: Sendable {
    let database: TodoDatabase

    private var tasks: TaskStore { TaskStore(database: database) }

    /// Runs inside a transaction.
    func update(
        _ id: UUID, _ patch: TodoTask.Patch, ifVersion versions: [Int]?, by operation: TodoOperation
    ) async throws -> TodoTask {
        let written = try await write(id, patch, ifVersion: versions, by: operation)
        try await follow(written, by: operation)
        return written.task
    }

    private func write(
        _ id: UUID, _ patch: TodoTask.Patch, ifVersion versions: [Int]?, by operation: TodoOperation
    ) async throws -> WrittenTask {
        guard patch.changesSeries else {
            return try await tasks.written(.update(id, patch, ifVersion: versions, by: operation), by: operation)
        }
        let task = try await locked(id, for: operation.actor)
        let series = try change(to: patch, of: task)
        let heads = try await heads(beside: task, patch, series, by: operation)
        // One that is only moved leads if it did: what came after it may have become a series of its own.
        let takesOver = !heads.isEmpty || patch.recurrence(otherThan: task.recurrence) != nil
        let update = TaskWrite.update(
            id, patch, series: series, takesOver: takesOver, ifVersion: versions, by: operation)
        let written = try await tasks.written(update, by: operation)
        for head in heads {
            // As long as the series stays the same, it may come back as the next.
            let skips = patch.scope != .all
            _ = try await tasks.write(.delete(head, skips: skips, ifVersion: nil, by: operation), by: operation)
        }
        return written
    }

    /// Puts an instance into the bin and makes the next. Runs inside a transaction.
    func skip(_ id: UUID, ifVersion versions: [Int]?, by operation: TodoOperation) async throws -> TodoTask {
        let written = try await tasks.written(
            .delete(id, skips: true, ifVersion: versions, by: operation), by: operation)
        try await follow(written, skipping: true, by: operation)
        return written.task
    }

    /// What `repair` did.
    public struct Repairs: Sendable {
        /// Closed instances that were seen to.
        public internal(set) var count = 0
        /// Those that could not be, which stay as they were.
        public internal(set) var failures: [(task: UUID, error: any Error)] = []
    }

    /// Makes what is missing after instances that something else closed, each in a transaction of its own; `batch` are
    /// looked up at a time. Throws only when the database cannot be reached or the task is cancelled, and what `permit`
    /// throws, which is asked before each.
    public func repair(batch: Int = 100, permit: () async throws -> Void = {}) async throws -> Repairs {
        var repairs = Repairs()
        var last: (owner: UUID, id: UUID)?
        repeat {
            let found = try await closed(after: last, limit: batch)
            for (owner, id) in found {
                try await permit()
                do {
                    try await repair(id, of: owner)
                    repairs.count += 1
                } catch let error as PostgresError where error.isConnectionFailure {
                    throw error
                } catch let error as CancellationError {
                    throw error
                } catch {
                    repairs.failures.append((id, error))
                }
            }
            last = found.count < batch ? nil : found.last
        } while last != nil
        return repairs
    }
}

extension SeriesStore {
    /// Closed instances whose next is yet to be made. Nothing follows in a project that is in the bin.
    private func closed(
        after last: (owner: UUID, id: UUID)?, limit: Int
    ) async throws -> [(owner: UUID, id: UUID)] {
        let rest: SQLFragment = last.map { "(t.user_id, t.id) > (\($0.owner), \($0.id))" } ?? "true"
        let statement: SQLFragment = """
            SELECT t.user_id, t.id FROM tasks t
            JOIN projects p ON p.user_id = t.user_id AND p.id = t.project_id AND p.deleted_at IS NULL
            WHERE t.is_series_head AND t.status <> 'open' AND t.deleted_at IS NULL AND \(rest)
            ORDER BY t.user_id, t.id LIMIT \(limit)
            """
        return try await database.rows(as: .system, "series.closed", statement).map {
            try $0.decode(UUID.self, UUID.self)
        }
    }

    private func repair(_ id: UUID, of owner: UUID) async throws {
        try await database.transaction { database in
            let store = SeriesStore(database: database)
            let task = try await store.locked(id, for: owner)
            guard task.status != .open else { return }
            // Closing it again changes nothing but that the next is made.
            var patch = TodoTask.Patch()
            patch.status = task.status
            _ = try await store.update(id, patch, ifVersion: nil, by: database.operation(by: owner))
        }
    }

    /// The task, with the stream of its owner locked until the end of the transaction.
    private func locked(_ id: UUID, for actor: UUID) async throws -> TodoTask {
        let owners = SQLFragment.owners(for: actor)
        let lock = TaskWrite.lock("SELECT t.user_id FROM tasks t WHERE t.user_id = ANY (\(owners)) AND t.id = \(id)")
        _ = try await database.read(as: .user(actor), [lock])
        return try await tasks.get(id, for: actor)
    }

    /// How a task repeats after a patch; nil when that stays as it is.
    private func change(to patch: TodoTask.Patch, of task: TodoTask) throws(StoreError) -> Series?? {
        let due = patch.due ?? task.due
        if patch.recurrence == .some(nil) { return .some(nil) }
        if let draft = patch.recurrence(otherThan: task.recurrence) {
            let id = patch.scope == .all ? task.recurrence?.id : nil
            return .some(try Series(id: id ?? database.makeID(), draft, checked: due))
        }
        guard let series = task.recurrence, patch.due != nil else { return nil }
        guard let due else {
            throw .invalid("due", "a task that repeats needs a due date; take its recurrence away first")
        }
        guard series.draft.fits(due) else {
            throw .invalid("due", "needs a time: the rule is of hours, minutes or seconds")
        }
        guard patch.scope != .this else { return nil }
        return .some(series.moved(to: due, id: patch.scope == .all ? series.id : database.makeID()))
    }

    /// The open instances that would lead the series beside one that a patch has go on with it: that one was done and taken
    /// back, or skipped and taken out of the bin. What was split off from it has become another series, and goes on. Throws
    /// `forbidden` when the person may not change them.
    private func heads(
        beside task: TodoTask, _ patch: TodoTask.Patch, _ series: Series??, by operation: TodoOperation
    ) async throws -> [UUID] {
        guard let old = task.recurrence, task.deleted == nil, task.status == .open || patch.status == .open,
            (series ?? nil) != nil || patch.scope != .this
        else { return [] }
        let statement: SQLFragment = """
            SELECT h.id, \(.mayWrite(operation.actor, "p")) FROM tasks h
            JOIN projects p ON p.user_id = h.user_id AND p.id = h.project_id
            WHERE h.user_id = \(task.user) AND h.series_id = \(old.id) AND h.is_series_head AND h.status = 'open'
                AND h.deleted_at IS NULL AND h.id <> \(task.id)
            """
        return try await database.rows(as: .system, "series.heads", statement).map { row in
            let (head, mayWrite) = try row.decode(UUID.self, Bool.self)
            guard mayWrite else { throw StoreError.forbidden }
            return head
        }
    }

    /// Makes the instance after one that a write closed, unless it was closed before or does not repeat, or its project is
    /// in the bin. Runs inside the transaction.
    func follow(_ written: WrittenTask, skipping: Bool = false, by operation: TodoOperation) async throws {
        let task = written.task
        guard let template = written.ended, var series = task.recurrence else { return }
        if skipping { series.exdates.append(series.occurrence) }
        let clock = try await zone(of: task.user, for: operation.actor)
        guard let (next, isInBin) = try await successor(of: series, of: task.user, clock, by: operation) else { return }
        let draft = task.draft(of: next, template)
        do {
            switch isInBin {
            case .some(true): try await renew(draft, next, task.position, by: operation)
            case .some(false): return
            case .none: try await make(draft, next, next.instanceID, task.position, by: operation)
            }
            try await carryReminders(from: task, to: next.instanceID)
        } catch StoreError.invalid {
            // The project is in the bin: nothing follows there, and this one is closed all the same.
        }
    }

    private func zone(of owner: UUID, for actor: UUID) async throws -> ZoneTable {
        let statement: SQLFragment = "SELECT u.zone FROM users u WHERE u.id = \(owner)"
        let row = try await database.rows(as: .user(actor), "series.zone", statement).first
        return try row.flatMap { ZoneTable.named(try $0.decode(String.self)) } ?? .utc
    }

    /// Everybody's reminders before a date of the instance are of each, in the place of those that it had; one at a moment
    /// of its own was of that one alone.
    private func carryReminders(from task: TodoTask, to next: UUID) async throws {
        let statement: SQLFragment = """
            WITH former AS (
                DELETE FROM reminders r WHERE r.owner_id = \(task.user) AND r.task_id = \(next) AND r.at IS NULL)
            INSERT INTO reminders (user_id, id, owner_id, task_id, moment, offset_minutes, repeat_minutes, channels)
            SELECT r.user_id, uuid_v7(), r.owner_id, n.id, r.moment, r.offset_minutes, r.repeat_minutes, r.channels
            FROM reminders r
            JOIN tasks n ON n.user_id = r.owner_id AND n.id = \(next)
            JOIN projects p ON p.user_id = n.user_id AND p.id = n.project_id
            WHERE r.owner_id = \(task.user) AND r.task_id = \(task.id) AND r.at IS NULL
                AND r.user_id = ANY (p.user_id || p.editors || p.viewers) ORDER BY r.id
            """
        _ = try await database.rows(as: .system, "series.reminders", statement)
    }

    /// How many instances that are over already are passed by; of those missed, no more than `overdueLimits` are seen.
    private static let reach = 1000

    /// The first instance after one that is not over, and where it is when it is there already: in the bin, or out of it.
    /// One that is over lies ahead when it was done early, or when the series was moved back.
    private func successor(
        of series: Series, of owner: UUID, _ zone: ZoneTable, by operation: TodoOperation
    ) async throws -> (next: Series, isInBin: Bool?)? {
        let now = database.now()
        var series = series
        for _ in 0..<Self.reach {
            guard let next = series.next(at: now, zone: zone) else { return nil }
            let known: SQLFragment = """
                SELECT t.is_series_head AND t.status = 'open', t.deleted_at IS NOT NULL FROM tasks t
                WHERE t.user_id = \(owner) AND t.id = \(next.instanceID)
                """
            let rows = try await database.rows(as: .user(operation.actor), "series.instance", known)
            guard let row = rows.first else { return (next, nil) }
            let (isToCome, isInBin) = try row.decode(Bool.self, Bool.self)
            if isToCome { return (next, isInBin) }
            series = next
        }
        return nil
    }

    /// Takes an instance out of the bin, where an undo or an edit of the one before it had put it, and makes it what a new
    /// one would be.
    private func renew(
        _ draft: TodoTask.Draft, _ series: Series, _ position: String, by operation: TodoOperation
    ) async throws {
        let id = series.instanceID
        _ = try await tasks.write(.restore(id, ifVersion: nil, by: operation), by: operation)
        try await write(draft, by: operation) { draft in
            .update(
                id, .init(draft, position: position), series: series, takesOver: true, ifVersion: nil, by: operation)
        }
    }

    private func make(
        _ draft: TodoTask.Draft, _ series: Series, _ id: UUID, _ position: String, by operation: TodoOperation
    ) async throws {
        try await write(draft, by: operation) { draft in
            .create(draft, id: id, position: position, series: series, by: operation)
        }
    }

    private func write(
        _ draft: TodoTask.Draft, by operation: TodoOperation, as kind: (TodoTask.Draft) -> TaskWrite
    ) async throws {
        do {
            _ = try await tasks.write(kind(draft), by: operation)
        } catch StoreError.invalid where draft.parent != nil {
            // The task that it was a part of is in the bin.
            var draft = draft
            draft.parent = nil
            _ = try await tasks.write(kind(draft), by: operation)
        }
    }
}

extension TodoTask {
    /// The instance that follows, as the series has it.
    fileprivate func draft(of next: Series, _ template: JSON) -> Draft {
        let due = next.due
        let occurrence = recurrence?.occurrence.date ?? due.date
        let lead: Int? =
            template["start_days"].map(\.int) ?? start.map { $0.daysSince1970 - occurrence.daysSince1970 }
        return Draft(
            title: template["title"]?.string ?? title, description: template["description"]?.string ?? description,
            project: project, parent: parent,
            priority: template["priority"]?.int.flatMap { Priority(rawValue: $0) } ?? priority, due: due,
            start: lead.map { CivilDate(daysSince1970: due.date.daysSince1970 + $0) },
            estimate: template["estimate_minutes"].map(\.int) ?? estimate,
            tags: template["tags"]?.array?.compactMap(\.string) ?? tags)
    }
}

extension TodoTask.Patch {
    /// All that a draft says but how it repeats, of this instance and those after it.
    fileprivate init(_ draft: TodoTask.Draft, position: String) {
        self.init()
        project = draft.project
        parent = .some(draft.parent)
        title = draft.title
        description = draft.description
        priority = draft.priority
        due = .some(draft.due)
        start = .some(draft.start)
        estimate = .some(draft.estimate)
        tags = draft.tags
        self.position = position
        scope = .all
    }
}

extension Series {
    /// A UUIDv8 (RFC 9562, section 5.8) of which instance of which series it is.
    var instanceID: UUID {
        var bytes = withUnsafeBytes(of: id.uuid) { Array($0) }
        bytes += Array(occurrenceText.utf8)
        var hash = Array(SHA256.hash(data: bytes).prefix(16))
        hash[6] = hash[6] & 0x0F | 0x80
        hash[8] = hash[8] & 0x3F | 0x80
        return hash.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}
