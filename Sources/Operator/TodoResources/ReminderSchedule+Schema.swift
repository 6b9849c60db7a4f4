internal import StructuredData

extension ReminderSchedule {
    /// The structural schema of `ReminderSchedule`, with the rules that span fields in CEL.
    static var schema: SchemaBuilder {
        .object(
            "ReminderSchedule says when the people of an installation are reminded of which of their tasks.",
            required: ["spec"],
            [
                "apiVersion": .string("The API version of this object: todo-operator.dev/v1alpha1."),
                "kind": .string("The kind of this object: ReminderSchedule."),
                "metadata": .object("Standard object metadata.", [:]),
                "spec": Spec.schema,
                "status": Status.schema.unseen,
            ])
    }

    fileprivate static func time(_ description: String) -> SchemaBuilder {
        .string(description, form: .clock, length: 5...5)
    }
}

extension ReminderSchedule.Spec {
    static var schema: SchemaBuilder {
        .object(
            "When which reminders fire.", required: ["appRef", "schedule"],
            [
                "appRef": .object(
                    "The TodoApp, in the namespace of this object, whose people are reminded.", required: ["name"],
                    ["name": .string("The name of the TodoApp.", length: 1...50)]
                ).rule("self == oldSelf", "appRef cannot be changed; delete this object and make another one"),
                "schedule": ReminderSchedule.Schedule.schema,
                "selector": .string(
                    """
                    Which open tasks are meant, in the query language of the platform: priority>=high tag:work. Without it \
                    every open task is.
                    """, length: 1...2000),
                "channels": .set(
                    """
                    How reminders go out. InApp: on the page and in every open client. Email and Webhook: to those people \
                    who have set up such a channel.
                    """, of: .choice("A channel.", ReminderSchedule.Channel.self), count: 1...3
                ).defaulting(to: ["InApp"]),
                "quietHours": .object(
                    "Hours of each person's day in which nothing is sent.", required: ["from", "to"],
                    [
                        "from": ReminderSchedule.time("When they begin, such as 22:00."),
                        "to": ReminderSchedule.time("When they end, such as 07:00; on the next day if it is earlier."),
                        "policy": .choice(
                            "DeliverAfter: what fires in them is sent when they end. Drop: it is not sent.",
                            ReminderSchedule.QuietPolicy.self
                        ).defaulting(to: "DeliverAfter"),
                    ]
                ).rule("self.from != self.to", "quietHours.from and quietHours.to must differ"),
                "catchUp": .object(
                    "What becomes of reminders that could not be fired in time, as while the platform was down.",
                    [
                        "window": .string(
                            "How late a reminder may still be fired, such as 24h or 3d.",
                            form: .duration, length: 2...32
                        ).defaulting(to: "24h"),
                        "policy": .choice(
                            """
                            All: within the window every missed reminder is fired once, marked as late. Latest: only the last \
                            of several for one task is. None: no missed reminder is. What is not fired is listed as expired.
                            """, ReminderSchedule.CatchUpPolicy.self
                        ).defaulting(to: "All"),
                    ]
                ).defaulting(to: [:]),
                "suspend": .boolean(
                    "While true nothing is planned or fired; what would have been due meanwhile is left out."
                ).defaulting(to: false),
            ])
    }
}

extension ReminderSchedule.Schedule {
    static var schema: SchemaBuilder {
        .object(
            "When reminders fire: exactly one of offsets, cron and rrule.",
            [
                "offsets": .set(
                    """
                    How long before a task is due people are reminded of it: 1d, 2h, 0m. A task that is due on a day without a \
                    time counts as due at the time of day that the person set, at first 09:00.
                    """,
                    of: .string(
                        "A duration of weeks (w), days (d), hours (h) and minutes (m).",
                        form: .duration, length: 2...32), count: 1...16),
                "cron": .string(
                    """
                    A digest of all selected tasks at these times: five fields (minute, hour, day of month, month, day of \
                    week), or six with seconds first.
                    """, length: 1...256),
                "rrule": .string(
                    """
                    A digest of all selected tasks by a recurrence rule (RFC 5545) with BYHOUR: \
                    FREQ=WEEKLY;BYDAY=MO;BYHOUR=8;BYMINUTE=0;BYSECOND=0.
                    """, length: 1...1024),
                "timeZone": .string(
                    "The IANA time zone of cron or rrule, such as Europe/Berlin. Without it: each person's own.",
                    form: .timeZone, length: 1...64),
            ]
        )
        .rule(
            "(has(self.offsets) ? 1 : 0) + (has(self.cron) ? 1 : 0) + (has(self.rrule) ? 1 : 0) == 1",
            "schedule must have exactly one of offsets, cron and rrule"
        )
        .rule(
            "!has(self.timeZone) || !has(self.offsets)",
            "schedule.timeZone goes with cron or rrule; offsets count from when a task is due")
    }
}

extension ReminderSchedule.Status {
    static var schema: SchemaBuilder {
        func count(_ description: String) -> SchemaBuilder { .integer(description, format: "int64") }
        return .object(
            "What the operator observed last.",
            [
                "observedGeneration": .integer("The generation of spec that this status speaks of.", format: "int64"),
                "nextFireTime": .dateTime("When the next reminder fires. Absent while none is planned."),
                "lastFireTime": .dateTime("When a reminder fired last."),
                "planned": count("How many reminders wait for their time; 100001 stands for more than 100000."),
                "fired": count("How many reminders fired."),
                "delivered": count("How many reached somebody: on the page, by webhook or by e-mail."),
                "failed": count("How many webhooks and e-mails were given up."),
                "expired": count("How many reminders came too late to be fired."),
                "latenessP99Milliseconds": .integer(
                    "How late reminders fired in the last hour, in milliseconds: 99 of 100 were no later.",
                    format: "int64"),
                "conditions": .list(
                    "Ready is always there. Reconciling and Stalled only while they are True.", key: "type",
                    of: Condition.schema),
            ])
    }
}
