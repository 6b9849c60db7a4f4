internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

/// What the API takes and gives.
extension OpenAPI {
    private static let date: JSON = ["type": "string", "format": "date"]
    static let clock: JSON = ["type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"]
    static let zone: JSON = ["type": "string", "description": "IANA time zone"]
    private static let color: JSON = ["type": "string", "pattern": "^#[0-9a-fA-F]{6}$"]
    private static let position: JSON = [
        "type": "string", "pattern": "^[0-9A-Za-z]*[1-9A-Za-z]$", "maxLength": 200,
        "description": "A fraction in base 62: what sorts between two positions lies between them.",
    ]
    private static let email: JSON = ["type": "string", "format": "email", "maxLength": 254]

    static func line(_ limit: Int) -> JSON { ["type": "string", "minLength": 1, "maxLength": JSON(limit)] }
    static func items(_ schema: String) -> JSON { object(["items": list(of: reference(schema))]) }

    /// What a client sends: the members that it may set, and those that it may send back unchanged.
    static func input(_ members: JSONObject, required: Set<String> = [], ignoring: [String] = []) -> JSON {
        var all = members
        for name in ignoring where !all.contains(name) { all[name] = ["readOnly": true] }
        return object(all, optional: Set(all.keys).subtracting(required))
    }

    static let schemas: JSONObject = {
        var all = tasks
        for more in [projects, people, reminders, documents] {
            for (name, schema) in more { all[name] = schema }
        }
        return all
    }()
}

extension OpenAPI {
    private static let due = object(
        ["date": date, "time": clock, "zone": zone], optional: ["time", "zone"],
        "A day; or a wall time, which holds in one zone or, without one, wherever the person is.")
    private static let status = words(TodoTask.Status.allCases.map(\.rawValue))
    private static let priority = words(TodoTask.Priority.allCases.map(\.name))
    private static let tag: JSON = ["type": "string", "minLength": 1, "maxLength": JSON(TodoTask.Limits.tag)]
    private static let tags: JSON = ["type": "array", "items": tag, "maxItems": JSON(TodoTask.Limits.tags)]
    private static let estimate: JSON = [
        "type": "integer", "minimum": 1, "maximum": JSON(TodoTask.Limits.estimate), "description": "Minutes",
    ]
    private static let description: JSON = [
        "type": "string", "maxLength": JSON(TodoTask.Limits.description), "description": "Markdown",
    ]

    private static let taskInput: JSONObject = [
        "parent": orNull(id), "title": line(TodoTask.Limits.title), "description": orNull(description),
        "status": orNullEnum(TodoTask.Status.allCases.map(\.rawValue)),
        "priority": orNullEnum(TodoTask.Priority.allCases.map(\.name)), "due": orNull(reference("Due")),
        "start": orNull(date), "estimate": orNull(estimate), "tags": orNull(tags),
        "recurrence": orNull(reference("RecurrenceDraft")),
    ]
    private static let recurrence: JSONObject = [
        "rule": [
            "type": "string", "maxLength": JSON(RecurrenceRule.lengthLimit),
            "description": "The value of an RRULE property (RFC 5545, with SKIP of RFC 7529).",
        ],
        "basis": words(Series.Basis.allCases.map(\.rawValue)), "monthEnd": words(["skip", "clamp"]),
        "overdue": words(Series.Overdue.allCases.map(\.rawValue)),
        "overdueLimit": ["type": "integer", "minimum": 1, "maximum": 100],
    ]
    static let scope: JSON = words(SeriesScope.allCases.map(\.rawValue))
    private static let moments: JSON = [
        "type": "array", "items": ["type": "string"], "maxItems": 1000,
        "description": "Wall times as 2026-01-31T09:00:00, or days, as due is.",
    ]
    private static let taskReadOnly = [
        "id", "user", "createdAt", "updatedAt", "completedAt", "deletedAt", "version", "seq",
    ]

    static func orNullEnum(_ words: [String]) -> JSON {
        ["enum": .array(words.map(JSON.string) + [.null])]
    }

    private static let bulkOperation = input(
        [
            "op": words(["create", "update", "complete", "reopen", "delete", "restore", "move"]), "id": id,
            "ifMatch": ["type": "string"], "scope": scope, "task": reference("TaskDraft"),
            "patch": reference("TaskPatch"),
            "move": reference("TaskMove"),
        ], required: ["op"])

    fileprivate static let tasks: JSONObject = [
        "Due": due,
        "Task": object([
            "id": id, "user": id, "project": id, "parent": orNull(id), "title": line(TodoTask.Limits.title),
            "description": description, "status": status, "priority": priority, "due": orNull(reference("Due")),
            "start": orNull(date), "estimate": orNull(estimate), "tags": tags, "position": position,
            "createdAt": time, "updatedAt": time, "completedAt": orNull(time), "deletedAt": orNull(time),
            "version": count, "seq": count, "recurrence": orNull(reference("Recurrence")),
        ]),
        "Recurrence": object(
            merged(recurrence, ["series": id, "occurrence": ["type": "string"], "text": ["type": "string"]]),
            "How the task repeats; occurrence is which instance it is, text the rule in English."),
        "RecurrenceDraft": input(
            merged(
                recurrence,
                [
                    "basis": orNullEnum(Series.Basis.allCases.map(\.rawValue)),
                    "monthEnd": orNullEnum(["skip", "clamp"]),
                    "overdue": orNullEnum(Series.Overdue.allCases.map(\.rawValue)),
                    "overdueLimit": ["type": ["integer", "null"], "minimum": 1, "maximum": 100],
                ]), required: ["rule"], ignoring: ["series", "occurrence", "text"]),
        "RecurrencePreview": input(
            [
                "recurrence": reference("RecurrenceDraft"), "due": orNull(reference("Due")),
                "start": [
                    "type": ["string", "null"],
                    "description":
                        "In place of due, which is one of COUNT whatever the rule says: a day or wall time, to the second.",
                ],
                "zone": orNull(zone), "exdates": orNull(moments), "rdates": orNull(moments),
                "count": ["type": ["integer", "null"], "minimum": 1, "maximum": 100],
            ], required: ["recurrence"]),
        "OccurrenceList": object([
            "text": ["type": "string"],
            "occurrences": list(
                of: object([
                    "due": reference("Due"),
                    "at": [
                        "type": "string",
                        "description": "An instant in UTC, ending in Z; a wall time or day when there is no zone.",
                    ],
                ])), "ended": ["type": "boolean"],
        ]),
        "TaskDraft": input(
            merged(taskInput, ["project": orNull(id), "position": orNull(position)]), required: ["title"],
            ignoring: taskReadOnly),
        "TaskPatch": input(
            merged(
                taskInput,
                ["project": id, "position": position, "scope": orNullEnum(SeriesScope.allCases.map(\.rawValue))]),
            ignoring: taskReadOnly),
        "TaskPage": object([
            "items": list(of: reference("Task")), "nextCursor": ["type": ["string", "null"]],
        ]),
        "TaskMove": input(["project": orNull(id), "parent": orNull(id), "after": orNull(id), "before": orNull(id)]),
        "Undo": input(["operation": id], required: ["operation"]),
        "UndoResult": object(
            ["tasks": list(of: reference("Task")), "more": ["type": "boolean"]],
            "The tasks as they are again, up to a megabyte of them; where there are more, the changes have all."),
        "Bulk": input(
            [
                "mode": orNullEnum(["atomic", "each"]),
                "operations": [
                    "type": "array", "minItems": 1, "maxItems": JSON(BulkEndpoint.largest), "items": bulkOperation,
                ],
            ], required: ["operations"]),
        "BulkResult": object([
            "results": list(
                of: object(
                    [
                        "status": count, "id": id, "version": count, "task": reference("Task"),
                        "problem": reference("Problem"),
                    ], optional: ["id", "version", "task", "problem"],
                    "What was done has an id and a version, and a task: all that were made, and up to a megabyte of "
                        + "others. The changes have the rest."))
        ]),
        "TagList": object(["items": list(of: object(["name": tag, "open": count]))]),
        "TagPatch": input(["name": tag], required: ["name"]),
        "TagResult": object(["tasks": count], "How many tasks changed."),
    ]
}

extension OpenAPI {
    private static let projectReadOnly = [
        "id", "user", "isInbox", "role", "createdAt", "updatedAt", "deletedAt", "version", "seq",
    ]
    private static let projectMembers: JSONObject = [
        "id": id, "user": id, "name": line(Project.nameLimit), "color": orNull(color), "position": position,
        "isInbox": ["type": "boolean"], "isArchived": ["type": "boolean"], "createdAt": time, "updatedAt": time,
        "deletedAt": orNull(time), "version": count, "seq": count,
    ]
    private static let filterInput: JSONObject = [
        "name": line(SavedFilter.nameLimit),
        "query": ["type": "string", "maxLength": JSON(TaskQuery.lengthLimit)], "color": orNull(color),
    ]
    private static let filterReadOnly = ["id", "user", "createdAt", "updatedAt", "deletedAt", "version", "seq"]

    fileprivate static let projects: JSONObject = [
        "Project": object(merged(projectMembers, ["role": words(Role.allCases.map(\.rawValue))])),
        "SharedProject": object(projectMembers, "In events, which go to every member, there is no role."),
        "ProjectDraft": input(
            ["name": line(Project.nameLimit), "color": orNull(color), "position": orNull(position)],
            required: ["name"],
            ignoring: projectReadOnly + ["isArchived"]),
        "ProjectPatch": input(
            [
                "name": line(Project.nameLimit), "color": orNull(color), "position": position,
                "isArchived": ["type": "boolean"],
            ], ignoring: projectReadOnly),
        "ProjectList": items("Project"),
        "Member": object([
            "user": id, "email": email, "name": line(User.nameLimit), "role": words(Role.allCases.map(\.rawValue)),
            "since": time,
        ]),
        "MemberList": items("Member"),
        "MemberDraft": input(["email": email, "role": words(["editor", "viewer"])], required: ["email", "role"]),
        "MemberPatch": input(["role": words(["editor", "viewer"])], required: ["role"]),
        "Filter": object(
            merged(
                filterInput,
                [
                    "position": position, "id": id, "user": id, "createdAt": time, "updatedAt": time,
                    "deletedAt": orNull(time),
                    "version": count, "seq": count,
                ])),
        "FilterDraft": input(
            merged(filterInput, ["position": orNull(position)]), required: ["name", "query"], ignoring: filterReadOnly),
        "FilterPatch": input(merged(filterInput, ["position": position]), ignoring: filterReadOnly),
        "FilterList": items("Filter"),
        "ChangePage": object([
            "items": list(
                of: object(
                    [
                        "type": words(["task", "project", "filter"]), "seq": count, "user": id, "id": id,
                        "deleted": ["type": "boolean"], "task": reference("Task"), "project": reference("Project"),
                        "filter": reference("Filter"),
                    ], optional: ["task", "project", "filter"])),
            "cursor": ["type": "string", "description": "OWNER:SEQ,… — one entry for each stream that you see."],
            "more": ["type": "boolean"],
        ]),
    ]

    private static func merged(_ one: JSONObject, _ other: JSONObject) -> JSONObject {
        other.reduce(into: one) { $0[$1.key] = $1.value }
    }
}

extension OpenAPI {
    private static let scopes: JSON = [
        "type": "array", "items": words(Scope.allCases.map(\.rawValue)), "minItems": 1,
    ]
    private static let token: JSONObject = [
        "id": id, "kind": words(AccessToken.Kind.allCases.map(\.rawValue)), "name": line(AccessToken.nameLimit),
        "scopes": scopes, "createdAt": time, "expiresAt": orNull(time), "lastUsedAt": orNull(time),
    ]
    private static let password: JSON = [
        "type": "string", "minLength": JSON(SignUp.passwordLengths.lowerBound),
        "maxLength": JSON(SignUp.passwordLengths.upperBound),
    ]

    fileprivate static let people: JSONObject = [
        "User": object([
            "id": id, "email": email, "name": line(User.nameLimit), "zone": zone, "dayStart": clock,
            "remindAt": clock, "quietHours": orNull(reference("QuietHours")), "createdAt": time, "updatedAt": time,
            "version": count,
        ]),
        "UserPatch": input(
            [
                "email": email, "name": line(User.nameLimit), "zone": zone, "dayStart": clock,
                "remindAt": clock, "quietHours": orNull(reference("QuietHours")),
                "password": input(["current": ["type": "string"], "new": password]),
            ], ignoring: ["id", "createdAt", "updatedAt", "version"]),
        "SignUp": input(
            [
                "email": email, "password": password, "name": orNull(line(User.nameLimit)), "zone": orNull(zone),
                "dayStart": orNull(clock),
            ],
            required: ["email", "password"]),
        "SignIn": input(
            ["email": email, "password": ["type": "string"], "cookie": orNull(["type": "boolean"])],
            required: ["email", "password"]),
        "Session": object(
            ["id": id, "token": ["type": "string"], "expiresAt": time, "user": reference("User")],
            optional: ["token"]),
        "Erase": input(["password": ["type": "string"], "email": orNull(email)]),
        "Export": ["type": "object", "description": "What is kept of you, by kind."],
        "Token": object(token),
        "TokenList": items("Token"),
        "TokenDraft": input(
            ["name": line(AccessToken.nameLimit), "scopes": scopes, "expiresAt": orNull(time)],
            required: ["name", "scopes"]),
        "NewToken": object(merged(token, ["token": ["type": "string"]])),
    ]

    fileprivate static let documents: JSONObject = [
        "Problem": object(
            [
                "type": ["type": "string"], "title": ["type": "string"], "status": count,
                "detail": ["type": "string"],
                "errors": list(of: object(["field": ["type": "string"], "detail": ["type": "string"]])),
            ], optional: ["errors"], "RFC 9457; errors name the fields that are wrong."),
        "EventSchemaList": items("EventSchemaLink"),
        "EventSchemaLink": object(["type": ["type": "string"], "schema": ["type": "string"]]),
        "Schema": ["type": "object", "description": "A JSON Schema, draft 2020-12."],
        "Document": ["type": "object", "description": "An OpenAPI 3.1 document."],
    ]
}
