import HTTPTypes
import StructuredData
import Testing

/// Reminders over HTTP.
@Suite(.timeLimit(.minutes(10))) struct ReminderRoutesTests {
    @Test func `a reminder is made, changed, shown as planned, fired, put off, acknowledged and taken back`()
        async throws
    {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let task = try await ada.make("/v1/tasks", ["title": "x", "due": ["date": "2098-06-01", "time": "18:00"]])
            let path = "/v1/tasks/\(task.id)/reminders"
            let reminder = try await ada.make(path, ["offset": 90, "channels": ["email"]])
            #expect(reminder["before"] == "due" && reminder["at"] == .null && reminder["repeat"] == .null)
            let changed = try await ada.send(
                .patch, "/v1/reminders/\(reminder.id)", ["offset": 30, "repeat": 15], headers: [.ifMatch: "\"1\""])
            #expect(changed.status == 200 && changed.json["offset"] == 30 && changed.json["channels"] == ["email"])
            #expect(try await ada.send(.get, path).json["items"]?.array == [changed.json])
            try await service.fireAll()
            let fired = try await ada.send(.get, "/v1/reminders?state=fired").json["items"]?.array ?? []
            #expect(fired.count == 1 && fired.first?["dueAt"] == "2098-06-01T17:30:00.000000Z")
            #expect(fired.first?["title"] == "x" && fired.first?["reminder"]?.string == reminder.id)
            let id = fired.first?.id ?? ""
            let again = try await ada.send(.post, "/v1/reminders/\(id)/snooze", ["until": "2099-12-31T00:00:00Z"])
            #expect(again.status == 201 && again.json["snoozedFrom"]?.string == id)
            let pending = try await ada.send(.get, "/v1/reminders")
            #expect(pending.json["items"]?.array?.map(\.id) == [again.json.id])
            let seen = try await ada.send(.post, "/v1/reminders/\(id)/acknowledge")
            #expect(seen.status == 200 && seen.json["acknowledgedAt"] != .null)
            #expect(try await ada.send(.get, "/v1/reminders").json["items"] == [])
            #expect(try await ada.send(.delete, "/v1/reminders/\(reminder.id)").status == 204)
            #expect(try await ada.send(.get, path).json["items"] == [])
        }
    }

    @Test func `pages of planned reminders follow each other without gap or repetition`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let task = try await ada.make("/v1/tasks", ["title": "x", "due": ["date": "2098-06-01"]])
            for minutes in [0, 5, 10, 15, 20] {
                _ = try await ada.make("/v1/tasks/\(task.id)/reminders", ["offset": JSON(minutes)])
            }
            try await service.fireAll()
            var offsets: [Int] = []
            var cursor = ""
            repeat {
                let page = try await ada.send(.get, "/v1/reminders?state=fired&limit=2\(cursor)").json
                offsets += (page["items"]?.array ?? []).compactMap { $0["offset"]?.int }
                cursor = page["nextCursor"]?.string.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(offsets == [0, 5, 10, 15, 20])
            for query in ["state=never", "cursor=x", "cursor=5:y", "limit=0"] {
                #expect(try await ada.send(.get, "/v1/reminders?\(query)").status >= 400)
            }
        }
    }

    @Test func `quiet hours and the hour of reminding are part of the account`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let before = try await ada.send(.get, "/v1/me").json
            #expect(before["remindAt"] == "09:00" && before["quietHours"] == .null)
            let quiet: JSON = ["from": "22:00", "to": "07:00", "zone": "Europe/Berlin", "policy": "drop"]
            let after = try await ada.send(.patch, "/v1/me", ["remindAt": "08:30", "quietHours": quiet])
            #expect(after.json["quietHours"] == quiet && after.json["remindAt"] == "08:30")
            #expect(try await ada.send(.get, "/v1/me").json["quietHours"] == quiet)
            let wrong = try await ada.send(.patch, "/v1/me", ["quietHours": ["from": "22:00", "to": "22:00"]])
            #expect(wrong.status == 422 && wrong.errors == ["quietHours.to: must be another time than from"])
            #expect(try await ada.send(.patch, "/v1/me", ["quietHours": nil]).json["quietHours"] == .null)
        }
    }

    @Test func `what is wrong with a reminder is told by member, with what is allowed`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let task = try await ada.make("/v1/tasks", ["title": "x"])
            for (body, error) in [
                ([:], "at: is required, or offset: an instant, or minutes before the task is due"),
                (["at": "tomorrow"], "at: must be an instant such as 2026-01-31T09:30:00Z, from the year 1970 to 2999"),
                (["at": "2020-01-01T00:00:00Z"], "at: must lie in the future"),
                (["offset": 5], "before: the task has no due date"),
                (["offset": 5, "channels": ["fax"]], "channels: must be a list of channels: in-app, webhook, email"),
                (["at": "2099-01-01T00:00:00Z", "repeat": 1], "repeat: must be a whole number from 5 to 10080"),
            ] as [(JSON, String)] {
                let answer = try await ada.send(.post, "/v1/tasks/\(task.id)/reminders", body)
                #expect(answer.status == 422 && answer.errors == [error], "\(answer.text)")
            }
        }
    }
}
