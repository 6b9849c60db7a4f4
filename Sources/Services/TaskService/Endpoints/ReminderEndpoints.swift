internal import FoundationEssentials
internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/tasks/{id}/reminders`, `/v1/reminders`.
enum ReminderEndpoints {
    private static let path = "/v1/reminders"
    private static let pageSizes = 1...200
    private static let reminder = Endpoint.Outcome(status: .ok, schema: "Reminder", headers: ["ETag"])

    static let all = [
        Endpoint(
            method: .get, path: "\(TaskEndpoints.path)/{id}/reminders", name: "listReminders",
            summary: "Your own reminders of a task.", outcomes: [.init(status: .ok, schema: "ReminderList")]
        ) { call in
            let reminders = try await call.database.reminders.all(of: call.id(), for: call.user())
            return Answer(.ok, ["items": .array(reminders.map(\.json))])
        },
        Endpoint(
            method: .post, path: "\(TaskEndpoints.path)/{id}/reminders", name: "createReminder",
            summary: "Be reminded of a task: at an instant, or some minutes before it is due or starts.",
            access: .bearer(.write), body: .json("ReminderDraft"),
            outcomes: [.init(status: .created, schema: "Reminder", headers: ["ETag", "Location"])]
        ) { call in
            let draft = try Reminder.Draft(call.body)
            let reminder = try await call.database.reminders.create(draft, of: call.id(), by: call.user())
            return answer(reminder, .created).with(.location, "\(path)/\(reminder.id.text)")
        },
        Endpoint(
            method: .patch, path: "\(path)/{id}", name: "updateReminder", summary: "Change members of a reminder.",
            access: .bearer(.write), body: .patch("ReminderPatch"), isConditional: true, outcomes: [reminder]
        ) { call in
            let patch = try Reminder.Patch(call.body)
            return answer(
                try await call.database.reminders.update(
                    call.id(), patch, ifVersion: call.ifMatch, by: call.user()), .ok)
        },
        Endpoint(
            method: .delete, path: "\(path)/{id}", name: "deleteReminder", summary: "Take a reminder back.",
            access: .bearer(.write), isConditional: true, outcomes: [.init(status: .noContent)]
        ) { call in
            try await call.database.reminders.delete(call.id(), ifVersion: call.ifMatch, by: call.user())
            return Answer(.noContent)
        },
        Endpoint(
            method: .get, path: path, name: "listPlannedReminders",
            summary: "When you will be reminded, or were, or were not after all.",
            query: [
                .init(
                    name: "state",
                    schema: [
                        "enum": .array(PlannedReminder.State.allCases.map { .string($0.rawValue) }),
                        "default": "pending",
                    ], explanation: "Those to come, held ones among them, by time; the others with the last one first."),
                .init(
                    name: "limit", schema: ["type": "integer", "minimum": 1, "maximum": 200, "default": 50],
                    explanation: "The most that a page holds."),
                .init(name: "cursor", schema: ["type": "string"], explanation: "The nextCursor of the page before."),
            ], outcomes: [.init(status: .ok, schema: "PlannedReminderPage")]
        ) { call in
            let text = try call.query("state") ?? PlannedReminder.State.pending.rawValue
            guard let state = PlannedReminder.State(rawValue: text) else {
                let states = PlannedReminder.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem.invalid("state", "must be one of \(states)")
            }
            let limit = try call.integer("limit", in: pageSizes, default: 50)
            let page = try await call.database.reminders.page(
                state, after: try call.query("cursor"), limit: limit, of: call.user())
            return Answer(
                .ok, ["items": .array(page.reminders.map(\.json)), "nextCursor": JSON(page.next, JSON.string)])
        },
        Endpoint(
            method: .post, path: "\(path)/{id}/snooze", name: "snoozeReminder",
            summary: "Be reminded again later by one that has fired.", access: .bearer(.write), body: .json("Snooze"),
            outcomes: [.init(status: .created, schema: "PlannedReminder")]
        ) { call in
            let snooze = try Snooze(call.body, now: .now())
            let again = try await call.database.reminders.snooze(
                call.id(), until: snooze.until, by: call.user())
            return Answer(.created, again.json)
        },
        Endpoint(
            method: .post, path: "\(path)/{id}/acknowledge", name: "acknowledgeReminder",
            summary: "Say that you have seen one that has fired: it is not repeated.", access: .bearer(.write),
            outcomes: [.init(status: .ok, schema: "PlannedReminder")]
        ) { call in
            Answer(.ok, try await call.database.reminders.acknowledge(call.id(), by: call.user()).json)
        },
    ]

    private static func answer(_ reminder: Reminder, _ status: HTTPResponse.Status) -> Answer {
        Answer(status, reminder.json).with(.eTag, EntityTag.text(reminder.version))
    }
}
