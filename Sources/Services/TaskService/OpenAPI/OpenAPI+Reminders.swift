internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

extension OpenAPI {
    private static let channels: JSON = [
        "type": "array", "items": words(ReminderChannel.allCases.map(\.rawValue)),
        "description": "Empty: all that the person has.",
    ]
    private static let offset: JSON = [
        "type": "integer", "minimum": 0, "maximum": JSON(Reminder.Limits.offset),
        "description": "Minutes before; whole days are days of the calendar.",
    ]
    private static let repetition: JSON = [
        "type": "integer", "minimum": JSON(Reminder.Limits.repetition.lowerBound),
        "maximum": JSON(Reminder.Limits.repetition.upperBound),
        "description": "Again after so many minutes, until the task is done or the reminder acknowledged.",
    ]
    private static let moments = Reminder.Moment.allCases.map(\.rawValue)
    private static let readOnly = ["id", "user", "task", "createdAt", "updatedAt", "version"]

    private static let reminderInput: JSONObject = [
        "at": orNull(time), "offset": orNull(offset), "before": orNullEnum(moments), "repeat": orNull(repetition),
        "channels": orNull(channels),
    ]

    private static let planned: JSONObject = [
        "id": id, "user": id, "task": orNull(id), "source": words(PlannedReminder.Source.allCases.map(\.rawValue)),
        "reminder": orNull(id), "policy": orNull(id), "offset": orNull(offset), "dueAt": time, "fireAt": time,
        "state": words(PlannedReminder.State.allCases.map(\.rawValue)), "reason": ["type": ["string", "null"]],
        "late": ["type": "boolean"], "firedAt": orNull(time), "acknowledgedAt": orNull(time),
        "snoozedFrom": orNull(id),
    ]

    private static func with(_ more: JSONObject) -> JSONObject {
        more.reduce(into: planned) { $0[$1.key] = $1.value }
    }

    static let reminders: JSONObject = [
        "QuietHours": object(
            [
                "from": clock, "to": clock, "zone": zone,
                "policy": words(QuietHours.Policy.allCases.map(\.rawValue)),
            ], optional: ["zone", "policy"],
            "Every day from the one time to the other, over midnight where that is earlier."),
        "Reminder": object([
            "id": id, "user": id, "task": id, "at": orNull(time), "offset": orNull(offset),
            "before": orNullEnum(moments), "repeat": orNull(repetition), "channels": channels, "createdAt": time,
            "updatedAt": time, "version": count,
        ]),
        "ReminderDraft": input(reminderInput, ignoring: readOnly),
        "ReminderPatch": input(reminderInput, ignoring: readOnly),
        "ReminderList": items("Reminder"),
        "PlannedReminder": object(with(["title": ["type": ["string", "null"]]])),
        "PlannedReminderPage": object([
            "items": list(of: reference("PlannedReminder")), "nextCursor": ["type": ["string", "null"]],
        ]),
        "ToldReminder": object(
            with(["channels": channels, "digest": orNull(list(of: reference("Task")))]),
            "In events; digest lists the tasks of a reminder that is not about one."),
        "Snooze": input([
            "until": orNull(time),
            "minutes": orNull([
                "type": "integer", "minimum": JSON(Snooze.minutes.lowerBound),
                "maximum": JSON(Snooze.minutes.upperBound),
            ]),
        ]),
    ]
}
