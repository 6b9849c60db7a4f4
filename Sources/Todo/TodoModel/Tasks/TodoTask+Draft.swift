public import FoundationEssentials
public import StructuredData

extension TodoTask {
    /// A task that is to be made.
    public struct Draft: Sendable, Hashable {
        /// Nil: the parent's, or the inbox.
        public var project: UUID?
        public var parent: UUID?
        public var title: String
        public var description: String
        public var status: Status
        public var priority: Priority
        public var due: Due?
        public var start: CivilDate?
        public var estimate: Int?
        public var tags: [String]
        /// Nil: at the end.
        public var position: String?
        /// Needs `due`.
        public var recurrence: Series.Draft?

        public init(
            title: String, description: String = "", project: UUID? = nil, parent: UUID? = nil, status: Status = .open,
            priority: Priority = .none, due: Due? = nil, start: CivilDate? = nil, estimate: Int? = nil,
            tags: [String] = [], position: String? = nil, recurrence: Series.Draft? = nil
        ) {
            self.project = project
            self.parent = parent
            self.title = title
            self.description = description
            self.status = status
            self.priority = priority
            self.due = due
            self.start = start
            self.estimate = estimate
            self.tags = tags
            self.position = position
            self.recurrence = recurrence
        }

        /// Only `title` must be there. Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a task", ignoring: TodoTask.readOnlyNames)
            if reader.value("title") == nil { reader.fail("title", "is required: 1 to \(Limits.title) characters") }
            self.init(
                title: reader.line("title", limit: Limits.title) ?? "",
                description: reader.text("description", limit: Limits.description) ?? "",
                project: reader.uuid("project"), parent: reader.uuid("parent"), status: reader.status() ?? .open,
                priority: reader.priority() ?? .none, due: try reader.due(), start: reader.date("start"),
                estimate: reader.estimate(), tags: reader.tags() ?? [], position: reader.position("position"),
                recurrence: try reader.series())
            if let recurrence, due.map(recurrence.fits) != true, reader.value("due") == nil || due != nil {
                reader.fail(
                    "recurrence",
                    due == nil ? "needs a due date" : "needs a due time: the rule is of hours, minutes or seconds")
            }
            try reader.finish()
        }
    }

    /// Changes to a task, member by member (RFC 7396); nil leaves a member as it is.
    public struct Patch: Sendable, Hashable {
        public var project: UUID?
        public var parent: UUID??
        public var title: String?
        public var description: String?
        public var status: Status?
        public var priority: Priority?
        public var due: Due??
        public var start: CivilDate??
        public var estimate: Int??
        public var tags: [String]?
        public var position: String?
        public var recurrence: Series.Draft??
        /// Which instances of a series are meant.
        public var scope = SeriesScope.this

        public init() {}

        /// Whether it changes nothing at all.
        public var isEmpty: Bool { self == Patch() }

        /// Null sets a member back to what it is when left out; title, project and position cannot be without a value.
        /// `due` is replaced as a whole. Throws naming every member that is wrong or unknown.
        public init(_ json: JSON) throws(ValidationError) {
            var reader = try MemberReader(json, of: "a task", ignoring: TodoTask.readOnlyNames)
            for name in ["title", "project", "position"] where reader.has(name) && reader.value(name) == nil {
                reader.fail(name, "cannot be null")
            }
            title = reader.line("title", limit: Limits.title)
            project = reader.uuid("project")
            position = reader.position("position")
            if reader.has("parent") { parent = .some(reader.uuid("parent")) }
            if reader.has("description") {
                description = reader.text("description", limit: Limits.description) ?? ""
            }
            if reader.has("status") { status = reader.status() ?? .open }
            if reader.has("priority") { priority = reader.priority() ?? Priority.none }
            if reader.has("due") { due = .some(try reader.due()) }
            if reader.has("start") { start = .some(reader.date("start")) }
            if reader.has("estimate") { estimate = .some(reader.estimate()) }
            if reader.has("tags") { tags = reader.tags() ?? [] }
            if reader.has("recurrence") { recurrence = .some(try reader.series()) }
            scope = reader.scope() ?? .this
            try reader.finish()
        }
    }
}

extension MemberReader {
    fileprivate mutating func status() -> TodoTask.Status? {
        choice("status", TodoTask.Status.allCases.map { ($0.rawValue, $0) })
    }

    fileprivate mutating func priority() -> TodoTask.Priority? {
        choice("priority", TodoTask.Priority.allCases.map { ($0.name, $0) })
    }

    fileprivate mutating func estimate() -> Int? { integer("estimate", in: 1...TodoTask.Limits.estimate) }

    /// The member `due`. Problems inside are told as `due.date` and so on.
    public mutating func due() throws(ValidationError) -> Due? {
        guard let json = value("due") else { return nil }
        guard json.object != nil else {
            fail(
                "due",
                "must be an object such as {\"date\": \"2026-01-31\", \"time\": \"09:30\", \"zone\": \"Europe/Berlin\"}"
            )
            return nil
        }
        var inner = try MemberReader(json, of: "due")
        let (date, time, zone) = (inner.date("date"), inner.time("time"), inner.zone("zone"))
        if inner.value("date") == nil { inner.fail("date", "is required, as in 2026-01-31") }
        if inner.value("zone") != nil, inner.value("time") == nil { inner.fail("zone", "needs a time") }
        do {
            try inner.finish()
        } catch {
            for problem in error.fields { fail("due.\(problem.field)", problem.message) }
        }
        return date.map { Due(date: $0, time: time, zone: zone) }
    }

    fileprivate mutating func tags() -> [String]? {
        guard let value = value("tags") else { return nil }
        let names = value.array?.compactMap(\.string)
        guard let names, names.count == value.array?.count else {
            fail("tags", "must be a list of strings")
            return nil
        }
        if names.count > TodoTask.Limits.tags {
            fail("tags", "has \(names.count) tags; at most \(TodoTask.Limits.tags) are allowed")
        }
        for name in names where !Self.isTag(name) {
            fail(
                "tags",
                "must each have 1 to \(TodoTask.Limits.tag) characters without blanks, commas, brackets or quotes")
            break
        }
        return Set(names.map { $0.lowercased() }).sorted()
    }

    /// What can stand behind `tag:` in a query.
    private static func isTag(_ name: String) -> Bool {
        (1...TodoTask.Limits.tag).contains(name.unicodeScalars.count)
            && name.unicodeScalars.allSatisfy { scalar in
                !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
                    && !",()\"*".unicodeScalars.contains(scalar)
            }
    }
}
