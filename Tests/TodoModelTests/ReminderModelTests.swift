import FoundationEssentials
import StructuredData
import Testing
import TodoModel

@Suite struct ReminderModelTests {
    private func problems(_ body: () throws -> Void) -> [String] {
        do {
            try body()
            return []
        } catch let error as ValidationError {
            return error.fields.map { "\($0.field): \($0.message)" }
        } catch {
            return ["\(error)"]
        }
    }

    @Test func `a draft is an instant, or minutes before the task is due or starts`() throws {
        let instant = try #require(Instant("2030-01-31T09:30:00+01:00"))
        #expect(try Reminder.Draft(["at": "2030-01-31T09:30:00+01:00"]) == .init(when: .at(instant)))
        #expect(try Reminder.Draft(["offset": 0]) == .init(when: .before(.due, minutes: 0)))
        #expect(
            try Reminder.Draft([
                "offset": 1440, "before": "start", "repeat": 5, "channels": ["email", "in-app", "email"],
            ])
                == .init(when: .before(.start, minutes: 1440), repeatMinutes: 5, channels: [.inApp, .email]))
    }

    @Test(arguments: [
        ("{}", "at"), (#"{"at": null, "offset": null}"#, "at"), (#"{"at": "2030-01-31"}"#, "at"), (#"{"at": 5}"#, "at"),
        (#"{"at": "1969-12-31T23:59:59Z"}"#, "at"), (#"{"offset": -1}"#, "offset"), (#"{"offset": 525601}"#, "offset"),
        (#"{"offset": 1.5}"#, "offset"), (#"{"offset": 5, "at": "2030-01-31T09:30:00Z"}"#, "offset"),
        (#"{"offset": 5, "before": "lunch"}"#, "before"), (#"{"before": "due"}"#, "before"),
        (#"{"offset": 5, "repeat": 4}"#, "repeat"), (#"{"offset": 5, "repeat": 10081}"#, "repeat"),
        (#"{"offset": 5, "channels": "email"}"#, "channels"), (#"{"offset": 5, "channels": ["fax"]}"#, "channels"),
        (#"{"offset": 5, "channels": [5]}"#, "channels"), (#"{"offset": 5, "when": "soon"}"#, "when"),
    ]) func `a bad draft is refused by the name of what is wrong`(_ text: String, _ field: String) throws {
        let json = try JSON(parsing: Array(text.utf8))
        #expect(problems { _ = try Reminder.Draft(json) }.contains { $0.hasPrefix("\(field): ") }, "\(text)")
    }

    @Test func `a patch changes what it names, and its time as one`() throws {
        #expect(try Reminder.Patch([:]) == .init())
        var patch = Reminder.Patch()
        (patch.repeatMinutes, patch.channels) = (.some(nil), [])
        #expect(try Reminder.Patch(["repeat": nil, "channels": nil]) == patch)
        #expect(try Reminder.Patch(["offset": 5]).when == .before(.due, minutes: 5))
        #expect(
            problems { _ = try Reminder.Patch(["before": "due"]) } == [
                "before: needs an offset in minutes", "before: cannot stand without a value for at or offset",
            ])
        #expect(
            problems { _ = try Reminder.Patch(["at": nil]) } == ["at: cannot stand without a value for at or offset"])
    }

    @Test func `what is written can be sent back as it is`() throws {
        let (user, id, task) = (UUID(), UUID(), UUID())
        let now = Instant(microsecondsSince1970: 1_800_000_000_123_456)
        for when in [Reminder.When.at(now), .before(.start, minutes: 90)] {
            let reminder = Reminder(
                user: user, id: id, task: task, when: when, repeatMinutes: 15, channels: [.webhook], created: now,
                updated: now)
            let patch = try Reminder.Patch(reminder.json)
            #expect(patch.when == when && patch.repeatMinutes == 15 && patch.channels == [.webhook])
        }
    }

    @Test func `quiet hours are two times of day that differ, and say what becomes of reminders`() throws {
        let whole: JSON = ["from": "22:00", "to": "07:00", "zone": "Europe/Berlin", "policy": "drop"]
        #expect(try User.Patch(["quietHours": whole]).quietHours??.json == whole)
        #expect(
            try User.Patch(["quietHours": ["from": "22:00", "to": "07:00"]]).quietHours??.policy == .deliverAfter)
        #expect(try User.Patch(["quietHours": nil]).quietHours == .some(nil))
        #expect(try User.Patch([:]).quietHours == nil)
        for (value, field) in [
            ("22-7", "quietHours"), ([:], "quietHours.from"), (["from": "22:00"], "quietHours.to"),
            (["from": "22:00", "to": "22:00"], "quietHours.to"), (["from": "25:00", "to": "07:00"], "quietHours.from"),
            (["from": "22:00", "to": "07:00", "zone": "Mars"], "quietHours.zone"),
            (["from": "22:00", "to": "07:00", "policy": "shout"], "quietHours.policy"),
            (["from": "22:00", "to": "07:00", "days": 5], "quietHours.days"),
        ] as [(JSON, String)] {
            let found = problems { _ = try User.Patch(["quietHours": value]) }
            #expect(found.contains { $0.hasPrefix("\(field): ") }, "\(value): \(found)")
        }
    }

    @Test func `a snooze is an instant to come, or minutes from now`() throws {
        let now = Instant(microsecondsSince1970: 1_800_000_000_000_000)
        #expect(try Snooze(["minutes": 10], now: now).until == now.advanced(by: .seconds(600)))
        let later = now.advanced(by: .seconds(1))
        #expect(try Snooze(["until": .string(later.text)], now: now).until == later)
        for (body, field) in [
            ([:], "until"), (["until": .string(now.text)], "until"), (["minutes": 0], "minutes"),
            (["minutes": 525_601], "minutes"), (["minutes": 5, "until": .string(later.text)], "minutes"),
        ] as [(JSON, String)] {
            #expect(problems { _ = try Snooze(body, now: now) }.contains { $0.hasPrefix("\(field): ") }, "\(body)")
        }
    }

    @Test func `an event is read as it is written, and one that is not whole is refused by what it lacks`() throws {
        let (user, id) = (UUID(), UUID())
        let event: JSON = [
            "specversion": "1.0", "id": .string(id.uuidString), "type": "dev.todo-operator.reminder.fired",
            "source": .string("/users/\(user)"), "subject": .string(id.uuidString), "time": "2030-01-31T09:30:00Z",
            "traceparent": "x",
            "data": [
                "user": .string(user.uuidString), "members": [], "task": nil,
                "reminder": ["channels": ["email", "pigeon"], "digest": []],
            ],
        ]
        let read = try ReminderEvent(event)
        #expect(read.kind == .fired && read.user == user && read.reminder == id && read.channels == [.email])
        #expect(read.task == nil)
        for name in ["id", "type", "subject", "time"] {
            var broken = event
            broken[name] = "x"
            #expect(problems { _ = try ReminderEvent(broken) } == ["\(name): is missing or not what it should be"])
        }
        var empty = event
        empty["data"] = [:]
        #expect(problems { _ = try ReminderEvent(empty) }.map { $0.prefix(9) } == ["data.user", "data.remi"])
    }

    @Test func `a digest's times reach a day around now and one beyond, of cron and of rules`() throws {
        let now = try #require(Instant("2030-06-05T12:00:00Z"))
        #expect(
            try DigestSchedule("0 8 * * MON-FRI").times(around: now).map(\.text)
                == ["2030-06-05T08:00:00", "2030-06-06T08:00:00", "2030-06-07T08:00:00"])
        #expect(
            try DigestSchedule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=8").times(around: now).map(\.text)
                == ["2030-06-10T08:00:00"])
        #expect(try DigestSchedule("* * * * *").times(around: now).count == 52 * 60 + 1)
        #expect(
            try DigestSchedule("0 8 * * *").times(around: now, and: .seconds(2 * 86_400)).map(\.text)
                == (3...7).map { "2030-06-0\($0)T08:00:00" })
        #expect(try DigestSchedule("* * * * *").times(around: now, and: .seconds(86_400)).count == 76 * 60 + 1)
        let many = try DigestSchedule("* * * * *").times(around: now, and: .seconds(30 * 86_400))
        #expect(many.count == 4700 && many.last?.text == "2030-06-06T14:01:00", "the last ones of too many")
        #expect(throws: RecurrenceError.self) { try DigestSchedule("") }
    }

    @Test(
        arguments: [
            ("0 0 30 2 *", "is never due"), ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "is never due"),
            ("FREQ=DAILY;COUNT=3", "is not due any more"), ("FREQ=DAILY;UNTIL=20251231T000000", "is not due any more"),
        ])
    func `a digest that will never be due is refused, and told why`(_ schedule: String, _ reason: String) throws {
        let policy = ReminderPolicy(id: UUID(), namespace: "n", name: "p", schedule: .digest(schedule, zone: nil))
        let said = problems { try policy.validate() }
        #expect(said.count == 1 && said[0].hasPrefix("schedule: \(reason)"), "\(said)")
        let good = ReminderPolicy(
            id: UUID(), namespace: "n", name: "p", schedule: .digest("FREQ=DAILY;UNTIL=21000101T000000", zone: nil))
        try good.validate()
    }
}
