internal import FoundationEssentials
public import StructuredData

extension TodoTask {
    /// The task as the API shows it.
    public var json: JSON {
        var object = JSONObject()
        object["id"] = .string(id.uuidString.lowercased())
        content.write(to: &object)
        object["createdAt"] = .string(created.text)
        object["updatedAt"] = .string(updated.text)
        object["version"] = JSON(version)
        return .object(object)
    }

    /// The content after a JSON merge patch (RFC 7396) of the task as the API shows it.
    ///
    /// Null sets a member back to what it is when left out. Members that the server sets may be there if they say what
    /// is so already, so that a task that was read can be sent back whole.
    public func merging(_ patch: JSON) throws(ValidationError) -> Content {
        guard let changes = patch.object else { throw ValidationError([.init("", "expected a JSON object")]) }
        let current = json
        var problems: [ValidationError.Field] = []
        for (name, value) in changes where Self.namesSetByServer.contains(name) && value != current[name] {
            problems.append(.init(name, "is set by the server and cannot be changed"))
        }
        guard var merged = MergePatch.apply(patch, to: current).object else {
            throw ValidationError([.init("", "expected a JSON object")])
        }
        for name in Self.namesSetByServer { merged[name] = nil }
        return try Content(merged, problems: problems)
    }

    static let namesSetByServer = ["id", "createdAt", "updatedAt", "version"]
}

extension TodoTask.Content {
    public static let titleLimit = 500
    public static let notesLimit = 20_000

    /// The content of a task that is to be made. Only `title` must be there. Throws naming every member that is wrong,
    /// unknown or set by the server.
    public init(_ json: JSON) throws(ValidationError) {
        guard let object = json.object else { throw ValidationError([.init("", "expected a JSON object")]) }
        var problems: [ValidationError.Field] = []
        var own = object
        for name in TodoTask.namesSetByServer where object.contains(name) {
            problems.append(.init(name, "is set by the server; leave it out"))
            own[name] = nil
        }
        try self.init(own, problems: problems)
    }

    init(_ object: JSONObject, problems found: [ValidationError.Field]) throws(ValidationError) {
        var reader = MemberReader(object: object, problems: found)
        self.init(
            title: reader.title(), notes: reader.notes(),
            status: reader.choice("status", default: .open, names: TodoTask.Status.allCases.map { ($0.rawValue, $0) }),
            priority: reader.choice(
                "priority", default: .none, names: TodoTask.Priority.allCases.map { ($0.name, $0) }))
        try reader.finish()
    }

    func write(to object: inout JSONObject) {
        object["title"] = .string(title)
        object["notes"] = .string(notes)
        object["status"] = .string(status.rawValue)
        object["priority"] = .string(priority.name)
    }
}

/// Reads members and remembers what is wrong with them.
private struct MemberReader {
    let object: JSONObject
    var problems: [ValidationError.Field]
    private var known: Set<String> = []

    init(object: JSONObject, problems: [ValidationError.Field]) {
        self.object = object
        self.problems = problems
    }

    mutating func title() -> String {
        let title = trimmed(string("title") ?? "")
        let count = title.unicodeScalars.count
        if problems.contains(where: { $0.field == "title" }) { return title }
        if count == 0 {
            fail("title", "is required: 1 to \(TodoTask.Content.titleLimit) characters")
        } else if count > TodoTask.Content.titleLimit {
            fail("title", "has \(count) characters; at most \(TodoTask.Content.titleLimit) are allowed")
        } else if title.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            fail("title", "must be one line without control characters")
        }
        return title
    }

    mutating func notes() -> String {
        let notes = string("notes") ?? ""
        let count = notes.unicodeScalars.count
        if count > TodoTask.Content.notesLimit {
            fail("notes", "has \(count) characters; at most \(TodoTask.Content.notesLimit) are allowed")
        } else if notes.utf8.contains(0) {
            fail("notes", "must not contain the character U+0000")
        }
        return notes
    }

    mutating func choice<Value>(_ name: String, default fallback: Value, names: [(String, Value)]) -> Value {
        guard let text = string(name) else { return fallback }
        if let match = names.first(where: { $0.0 == text }) { return match.1 }
        fail(name, "must be one of " + names.map(\.0).joined(separator: ", "))
        return fallback
    }

    mutating func finish() throws(ValidationError) {
        for (name, _) in object where !known.contains(name) { fail(name, "is not a field of a task") }
        if !problems.isEmpty { throw ValidationError(problems) }
    }

    /// Nil when the member is not there or null.
    private mutating func string(_ name: String) -> String? {
        known.insert(name)
        guard let value = object[name], !value.isNull else { return nil }
        if value.string == nil { fail(name, "must be a string") }
        return value.string
    }

    private mutating func fail(_ field: String, _ message: String) { problems.append(.init(field, message)) }

    private func trimmed(_ text: String) -> String {
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }
}
