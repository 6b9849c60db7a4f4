import Recurrence
import Testing

@Suite(.timeLimit(.minutes(10))) struct CronTests {
    private func times(_ text: String, from start: String, _ count: Int, zone: String? = nil) throws -> [String] {
        let cron = try CronExpression(text)
        let table = try zone.map { try #require(ZoneTable.named($0)) }
        var instant = try #require(LocalDateTime(start)).seconds
        var found: [String] = []
        while found.count < count, let next = cron.next(after: instant, in: table) {
            #expect(cron.previous(before: next + 1, in: table) == next)
            found.append(LocalDateTime(seconds: next).text)
            instant = next
        }
        return found
    }

    @Test(arguments: [
        ("0 9 * * 1-5", ["2026-01-01T09:00:00", "2026-01-02T09:00:00", "2026-01-05T09:00:00"]),
        ("*/20 8-9 * * *", ["2026-01-01T08:00:00", "2026-01-01T08:20:00", "2026-01-01T08:40:00"]),
        ("5/20 8 * * *", ["2026-01-01T08:05:00", "2026-01-01T08:25:00", "2026-01-01T08:45:00"]),
        ("30 0 9 1 * *", ["2026-01-01T09:00:30", "2026-02-01T09:00:30", "2026-03-01T09:00:30"]),
        ("0 0 L * *", ["2026-01-31T00:00:00", "2026-02-28T00:00:00", "2026-03-31T00:00:00"]),
        ("0 0 L-2 * ?", ["2026-01-29T00:00:00", "2026-02-26T00:00:00", "2026-03-29T00:00:00"]),
        ("0 0 LW * *", ["2026-01-30T00:00:00", "2026-02-27T00:00:00", "2026-03-31T00:00:00"]),
        ("0 0 1W * *", ["2026-02-02T00:00:00", "2026-03-02T00:00:00", "2026-04-01T00:00:00"]),
        ("0 0 15W 2,3,8 *", ["2026-02-16T00:00:00", "2026-03-16T00:00:00", "2026-08-14T00:00:00"]),
        ("0 0 ? * FRI#2", ["2026-01-09T00:00:00", "2026-02-13T00:00:00", "2026-03-13T00:00:00"]),
        ("0 0 * * fril", ["2026-01-30T00:00:00", "2026-02-27T00:00:00", "2026-03-27T00:00:00"]),
        ("0 0 13 * FRI", ["2026-01-02T00:00:00", "2026-01-09T00:00:00", "2026-01-13T00:00:00"]),
        ("0 12 * * SAT-SUN", ["2026-01-03T12:00:00", "2026-01-04T12:00:00", "2026-01-10T12:00:00"]),
        ("0 12 * * SUN-SUN", ["2026-01-04T12:00:00", "2026-01-11T12:00:00", "2026-01-18T12:00:00"]),
        ("0 12 * * 7", ["2026-01-04T12:00:00", "2026-01-11T12:00:00", "2026-01-18T12:00:00"]),
        ("0 0 29 FEB *", ["2028-02-29T00:00:00", "2032-02-29T00:00:00", "2036-02-29T00:00:00"]),
        ("@monthly", ["2026-02-01T00:00:00", "2026-03-01T00:00:00", "2026-04-01T00:00:00"]),
        ("@Weekly", ["2026-01-04T00:00:00", "2026-01-11T00:00:00", "2026-01-18T00:00:00"]),
        ("0 0 30 2 *", []),
    ])
    func `an expression fires at these times`(_ text: String, _ expected: [String]) throws {
        #expect(try times(text, from: "2026-01-01T00:00:00", 3) == expected)
    }

    @Test func `clocks that are changed neither lose a time nor repeat one`() throws {
        #expect(
            try times("30 2 * * *", from: "2024-03-09T00:00:00", 3, zone: "America/New_York") == [
                "2024-03-09T07:30:00", "2024-03-10T07:30:00", "2024-03-11T06:30:00",
            ])
        #expect(
            try times("30 1 * * *", from: "2024-11-02T00:00:00", 3, zone: "America/New_York") == [
                "2024-11-02T05:30:00", "2024-11-03T05:30:00", "2024-11-04T06:30:00",
            ])
    }

    /// All minutes of some years, looked at one by one.
    @Test func `random expressions fire when every field fits and at no other time`() throws {
        var random = RandomRule(seed: 7)
        let start = try #require(CivilDate("2023-11-01")).daysSince1970 * 86_400
        let span = start..<start + 150 * 86_400
        for _ in 0..<40 {
            func field(_ range: ClosedRange<Int>, star: Int) -> (String, Set<Int>) {
                if random.chance(star) { return ("*", Set(range)) }
                let low = random.int(range.lowerBound, range.upperBound)
                let high = random.int(low, range.upperBound)
                let step = random.int(1, 7)
                return ("\(low)-\(high)/\(step)", Set(stride(from: low, through: high, by: step)))
            }
            let fields = [
                field(0...59, star: 3), field(0...23, star: 2), field(1...31, star: 2), field(1...12, star: 2),
                field(0...6, star: 2),
            ]
            let text = fields.map(\.0).joined(separator: " ")
            let cron = try CronExpression(text)
            let either = fields[2].0 != "*" && fields[4].0 != "*"
            let expected = stride(from: span.lowerBound, to: span.upperBound, by: 3600).flatMap { hour -> [Int] in
                let time = LocalDateTime(seconds: hour)
                let civil = time.date.civil
                let (day, weekday) = (
                    fields[2].1.contains(civil.day), fields[4].1.contains(time.date.weekday.rawValue % 7)
                )
                guard fields[1].1.contains(time.secondOfDay / 3600), fields[3].1.contains(civil.month),
                    either ? day || weekday : day && weekday
                else { return [] }
                return fields[0].1.sorted().map { hour + $0 * 60 }
            }
            #expect(cron.count(in: span, in: nil) == expected.count, "\(text)")
            var instant = span.lowerBound - 1
            for time in expected.prefix(100) {
                instant = cron.next(after: instant, in: nil) ?? .max
                #expect(instant == time, "\(text)")
            }
        }
    }

    @Test(arguments: [
        ("* * * *", 7, "five fields"), ("60 * * * *", 0, "0 to 59"), ("* 24 * * *", 2, "0 to 23"),
        ("* * 0 * *", 4, "1 to 31"), ("* * * FOO *", 6, "JAN to DEC"), ("* * * * 8", 8, "SUN to SAT"),
        ("*/0 * * * *", 2, "1 to 99"), ("9-5 * * * *", 0, "go up"), ("* * * * FRI#6", 12, "1 to 5"),
        ("* * L-31 * *", 6, "1 to 30"), ("@fortnightly", 0, "@weekly"), ("", 0, "five fields"),
        ("* * * * * * *", 12, "found 7"), ("1,,2 * * * *", 2, "0 to 59"), ("* * * * ü", 8, "weekday"),
    ])
    func `what is wrong is refused with its place and what is allowed`(_ text: String, _ offset: Int, _ part: String) {
        #expect {
            try CronExpression(text)
        } throws: { error in
            let error = error as? RecurrenceError
            return error?.offset == offset && error?.message.contains(part) == true
        }
    }
}
