import HTTPTypes
import StructuredData
import Testing
import WebhookReceiver

/// One of everything that somebody can have, to fill the paths and bodies of the document's operations.
struct Belongings: Sendable {
    let task: String
    let project: String
    let member: String
    let filter: String
    let token: String
    let operation: String
    let reminder: String
    /// A reminder that has fired.
    let planned: String
    /// Empty unless the notification service runs.
    var channel = ""
    /// One that failed for good.
    var delivery = ""

    /// Ada's; `member` sees the project with a role.
    static func of(_ person: Person, sharedWith member: Person, as role: String) async throws -> Belongings {
        let project = try await person.make("/v1/projects", ["name": "Work"]).id
        _ = try await person.make(
            "/v1/projects/\(project)/members", ["email": .string(member.email), "role": .string(role)])
        let made = try await person.send(
            .post, "/v1/tasks", ["title": "confidential", "project": .string(project), "tags": ["mine"]])
        let reminder = try await person.make(
            "/v1/tasks/\(made.json.id)/reminders", ["at": "2099-01-01T09:00:00Z"])
        try await person.service.fireAll()
        let fired = try await person.send(.get, "/v1/reminders?state=fired&limit=200").json["items"]?.array ?? []
        return Belongings(
            task: made.json.id, project: project, member: member.id,
            filter: try await person.make("/v1/filters", ["name": "f", "query": "milk"]).id,
            token: try await person.make("/v1/tokens", ["name": "t", "scopes": ["tasks:read"]]).id,
            operation: made.headers.first { $0.name.canonicalName == "todo-operation" }?.value ?? "",
            reminder: reminder.id,
            planned: fired.first { $0["reminder"]?.string == reminder.id }?.id ?? "")
    }

    /// Also a webhook, and what could not be delivered to it.
    static func of(
        _ person: Person, sharedWith member: Person, as role: String, in installation: Installation
    ) async throws -> Belongings {
        var all = try await of(person, sharedWith: member, as: role)
        let target = "http://127.0.0.1:\(installation.receiver.port)/\(all.task)"
        all.channel = try await person.make("/v1/channels", ["kind": "webhook", "target": .string(target)]).id
        let test = try await person.send(.post, "/v1/channels/\(all.channel)/test")
        #expect(test.status == 202, "\(test.text)")
        all.delivery = test.json.id
        try await person.service.eventually(.get, "/v1/deliveries/\(all.delivery)", token: person.token) {
            $0.json["state"] == "dead"
        }
        // Who answers 410 is not sent anything more, until its owner says so.
        let resumed = try await person.send(.patch, "/v1/channels/\(all.channel)", ["paused": false])
        #expect(resumed.status == 200, "\(resumed.text)")
        return all
    }

    /// The path of an operation, about these things.
    func path(_ operation: ServedDocument.Operation) -> String {
        let kind = operation.path.split(separator: "/").dropFirst().first
        let id =
            switch kind {
            case "tasks": task
            case "projects": project
            case "filters": filter
            case "tokens": token
            case "channels": channel
            case "deliveries": delivery
            case "reminders": operation.path.hasSuffix("{id}") ? reminder : planned
            default: ""
            }
        return operation.path.replacing("{id}", with: id).replacing("{user}", with: member)
            .replacing("{name}", with: "mine").replacing("{type}", with: "dev.todo-operator.task.created")
    }

    /// A body that an operation takes.
    func body(_ operation: ServedDocument.Operation) -> JSON? {
        guard let schema = operation.bodySchema?["$ref"]?.string?.split(separator: "/").last else { return nil }
        switch schema {
        case "TaskDraft": return ["title": "x"]
        case "TaskPatch": return ["title": "changed"]
        case "TaskMove": return ["before": nil]
        case "Undo": return ["operation": .string(self.operation)]
        case "Bulk": return ["mode": "each", "operations": [["op": "complete", "id": .string(task)]]]
        case "TagPatch": return ["name": "other"]
        case "ProjectDraft": return ["name": "x"]
        case "ProjectPatch": return ["name": "changed"]
        case "MemberDraft": return ["email": "eve@example.com", "role": "viewer"]
        case "MemberPatch": return ["role": "viewer"]
        case "FilterDraft": return ["name": "x", "query": "status:open"]
        case "FilterPatch": return ["name": "changed"]
        case "SignUp": return ["email": "new@example.com", "password": .string(RunningService.password)]
        case "SignIn": return ["email": "ada@example.com", "password": .string(RunningService.password)]
        case "UserPatch": return ["name": "Ada"]
        case "Erase": return ["password": .string(RunningService.password)]
        case "ChannelDraft": return ["kind": "webhook", "target": "http://127.0.0.1:9/"]
        case "ChannelPatch": return ["paused": false]
        case "ReminderDraft": return ["at": "2099-01-01T10:00:00Z"]
        case "ReminderPatch": return ["repeat": 60]
        case "Snooze": return ["minutes": 10]
        case "RecurrencePreview":
            return ["recurrence": ["rule": "FREQ=DAILY"], "due": ["date": "2026-01-31", "time": "09:30"]]
        case "TokenDraft": return ["name": "t", "scopes": ["tasks:read"]]
        default:
            Issue.record("a test needs to know a body for \(schema)")
            return nil
        }
    }
}
