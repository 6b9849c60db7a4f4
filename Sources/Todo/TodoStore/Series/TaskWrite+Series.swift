internal import FoundationEssentials
internal import Postgres
internal import TodoModel

extension TodoTask.Patch {
    /// Whether more may have to be done than to change the task: it may be an instance that is closed, or whose series
    /// changes.
    var mayConcernSeries: Bool { closes || changesSeries }

    /// Whether it says how a task repeats, or might; then that has to be known before.
    var changesSeries: Bool { recurrence != nil || due == .some(nil) || scope != .this && changesInstances }

    /// Whether it names what the instances of a series have in common.
    private var changesInstances: Bool {
        title != nil || description != nil || priority != nil || tags != nil || estimate != nil || start != nil
            || due != nil
    }

    var closes: Bool { status == .done || status == .cancelled }

    /// How the task is to repeat, where that is otherwise than `series`.
    func recurrence(otherThan series: Series?) -> Series.Draft? {
        (recurrence ?? nil).flatMap { $0 == series?.draft ? nil : $0 }
    }
}

extension TodoTask.Draft {
    /// How the task is to repeat; nil when it is not. Throws `invalid` naming `recurrence`.
    func series(id: UUID) throws(StoreError) -> Series? {
        try recurrence.map { draft throws(StoreError) in try Series(id: id, draft, checked: due) }
    }
}

extension Series {
    init(id: UUID, _ draft: Draft, checked due: Due?) throws(StoreError) {
        guard let due else { throw .invalid("recurrence", "needs a due date") }
        guard draft.fits(due) else {
            throw .invalid("recurrence", "needs a due time: the rule is of hours, minutes or seconds")
        }
        self.init(id: id, draft, due: due)
    }

    /// What a person said of it.
    var draft: Draft { Draft(rule: rule, basis: basis, overdue: overdue, overdueLimit: overdueLimit) }
}

extension TaskWrite {
    /// Whether a skipped instance, `r.old`, is to be followed by another.
    static let skipping: SQLFragment =
        "(r.old).is_series_head AND (r.old).status = 'open' AND (r.old).deleted_at IS NULL"

    /// Whether a patch closes an instance, `r.old`, that is to be followed by another: also one that it makes one first.
    static func ending(_ patch: TodoTask.Patch, takesOver: Bool) -> SQLFragment {
        guard patch.closes else { return "false" }
        return "(r.old).is_series_head OR \(takesOver) AND (r.old).status = 'open'"
    }

    /// Whether an instance leads the series of `task`, one of those `h` of which `condition` holds. What comes out of the bin
    /// may find that it has taken its place.
    static func isLed(_ task: SQLFragment, where condition: SQLFragment = "true") -> SQLFragment {
        """
        EXISTS (
            SELECT FROM tasks h WHERE h.user_id = (\(task)).user_id AND h.series_id = (\(task)).series_id
            AND h.is_series_head AND h.status = 'open' AND h.deleted_at IS NULL AND \(condition))
        """
    }

    /// What a patch means for how a task repeats.
    static func seriesChanges(
        _ patch: TodoTask.Patch, _ series: Series??, takesOver: Bool
    ) -> [String: SQLFragment] {
        var changes: [String: SQLFragment] = [:]
        if patch.closes || takesOver || series != nil {
            let isOpen: SQLFragment = patch.status.map { "\($0 == .open)" } ?? "(x.old).status = 'open'"
            changes["is_series_head"] = "\(isOpen) AND (\(takesOver) OR (x.old).is_series_head)"
        }
        if let series {
            changes["series_id"] = "\(series?.id)"
            changes["occurrence"] = "\(series?.occurrenceText)"
            changes["recurrence"] = series.map { column(of: $0, patch) } ?? "NULL::jsonb"
            if series == nil { changes["is_series_head"] = "false" }
            return changes
        }
        let others = overrides(patch)
        guard !others.isEmpty else { return changes }
        switch patch.scope {
        case .this:
            // What was noted first is what the series has.
            changes["recurrence"] = """
                CASE WHEN (x.old).recurrence IS NOT NULL AND (\(.joined(others.map(\.value), by: " || "))) <> '{}' THEN
                    jsonb_set((x.old).recurrence, '{template}', \(.joined(others.map(\.value), by: " || "))
                        || COALESCE((x.old).recurrence -> 'template', '{}'))
                    ELSE (x.old).recurrence END
                """
        case .following, .all:
            let names = others.map { "\($0.name)" }
            changes["recurrence"] = """
                CASE WHEN (x.old).recurrence ? 'template' THEN jsonb_set(
                    (x.old).recurrence, '{template}', ((x.old).recurrence -> 'template') - \(names))
                    ELSE (x.old).recurrence END
                """
            if patch.scope == .following {
                changes["series_id"] = "CASE WHEN (x.old).series_id IS NOT NULL THEN gen_random_uuid() END"
            }
        }
        return changes
    }

    /// The column of another series, where `x.old` goes on to have otherwise what the patch does not give all.
    private static func column(of series: Series, _ patch: TodoTask.Patch) -> SQLFragment {
        let names: [String] = patch.scope == .this ? [] : overrides(patch).map { "\($0.name)" }
        return """
            \(series.column) || CASE WHEN (x.old).recurrence ? 'template' THEN jsonb_build_object(
                'template', ((x.old).recurrence -> 'template') - \(names)) ELSE '{}' END
            """
    }

    /// For each member that may differ between instances and that the patch names: an object with what it was, empty when
    /// it stays. The start is in days from the occurrence.
    private static func overrides(_ patch: TodoTask.Patch) -> [(name: String, value: SQLFragment)] {
        var parts: [(name: String, value: SQLFragment)] = []
        func note(_ name: String, _ isOther: SQLFragment, was: SQLFragment? = nil) {
            let old: SQLFragment = was ?? "(x.old).\(raw: name)"
            let value: SQLFragment =
                "CASE WHEN \(isOther) THEN jsonb_build_object('\(raw: name)', \(old)) ELSE '{}'::jsonb END"
            parts.append((name, value))
        }
        if let title = patch.title { note("title", "(x.old).title <> \(title)") }
        if let description = patch.description { note("description", "(x.old).description <> \(description)") }
        if let priority = patch.priority { note("priority", "(x.old).priority <> \(Int16(priority.rawValue))") }
        if let tags = patch.tags { note("tags", "(x.old).tags <> \(tags)") }
        if let start = patch.start {
            note(
                "start_days", "(x.old).start_date IS DISTINCT FROM \(start?.column)",
                was: "(x.old).start_date - left((x.old).occurrence, 10)::date")
        }
        if let estimate = patch.estimate {
            note(
                "estimate_minutes",
                "(x.old).estimate_minutes IS DISTINCT FROM \(estimate.map { Int32(clamping: $0) })")
        }
        return parts
    }
}
