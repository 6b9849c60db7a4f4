import Recurrence
import Testing

/// Random rules against a second opinion and against themselves.
@Suite(.timeLimit(.minutes(10))) struct RandomRuleTests {
    private static let long: [RecurrenceRule.Frequency] = [.daily, .weekly, .monthly, .yearly]

    /// A random rule that is one, and a start.
    private func rule(
        _ random: inout RandomRule, _ frequencies: [RecurrenceRule.Frequency], endless: Bool = false
    ) -> (RecurrenceRule, LocalDateTime) {
        while true {
            if let rule = try? RecurrenceRule(random.text(frequencies, endless: endless)) {
                return (rule, random.start())
            }
        }
    }

    private func compare(_ frequencies: [RecurrenceRule.Frequency], rules: Int, limit: Int, seconds: Int, seed: UInt64)
        throws
    {
        var random = RandomRule(seed: seed)
        for _ in 0..<rules {
            let (rule, start) = rule(&random, frequencies)
            let expected = NaiveRule(rule: rule, start: start).instances(limit: limit, horizon: seconds)
            let set = try RecurrenceSet(start: start, zone: nil, rule: rule)
            let found = set.occurrences.prefix(expected.count).map(\.local)
            guard found == expected else {
                Issue.record("\(rule.text) from \(start.text): \(found.map(\.text)), not \(expected.map(\.text))")
                return
            }
            if expected.count < limit, let next = set.next(after: expected.last?.seconds ?? start.seconds - 1) {
                // The last period may reach beyond the horizon, by a year at most.
                let period = rule.frequency < .daily ? 3600 : 400 * 86_400
                #expect(
                    next.instant >= start.seconds + seconds - period,
                    "\(rule.text) from \(start.text) has \(next.local.text)")
            }
        }
    }

    @Test(arguments: 1...4) func `long rules are as a naive reading has them`(_ seed: UInt64) throws {
        try compare(Self.long, rules: 40, limit: 30, seconds: 9 * 366 * 86_400, seed: seed)
    }

    @Test(arguments: 1...4) func `short rules are as a naive reading has them`(_ seed: UInt64) throws {
        try compare([.hourly], rules: 25, limit: 30, seconds: 90 * 86_400, seed: 100 + seed)
        try compare([.minutely], rules: 25, limit: 30, seconds: 3 * 86_400, seed: 200 + seed)
        try compare([.secondly], rules: 25, limit: 30, seconds: 7200, seed: 300 + seed)
    }

    private static let zones: [String?] = [
        nil, "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia",
        "America/Sao_Paulo", "Antarctica/Troll",
    ]

    /// Sets with days added and taken away.
    private func sets(seed: UInt64, count: Int) throws -> [RecurrenceSet] {
        var random = RandomRule(seed: seed)
        return try (0..<count).map { _ in
            let (rule, start) = rule(&random, RecurrenceRule.Frequency.allCases)
            let zone = (Self.zones.randomElement(using: &random.random) ?? nil).flatMap(ZoneTable.named)
            let plain = try RecurrenceSet(start: start, zone: zone, rule: rule)
            let some = plain.occurrences.prefix(20).map(\.local).filter { _ in random.chance(4) }
            let others = (0..<random.int(0, 3)).map { _ in
                LocalDateTime(seconds: start.seconds + random.int(-100_000, 10_000_000))
            }
            guard random.bool() else { return plain }
            return try RecurrenceSet(
                start: start, zone: zone, rule: rule, exdates: some + others.prefix(1), rdates: others)
        }
    }

    private func name(_ set: RecurrenceSet) -> Comment {
        Comment(rawValue: "\(set.rule.text) from \(set.start.text) in \(set.zone?.name ?? "no zone")")
    }

    @Test(arguments: 1...3) func `next is what walking finds`(_ seed: UInt64) throws {
        for set in try sets(seed: seed, count: 60) {
            let walked = set.occurrences.prefix(25).map { $0 }
            #expect(zip(walked, walked.dropFirst()).allSatisfy { $0.instant < $1.instant }, name(set))
            for (index, occurrence) in walked.enumerated() {
                let before = index == 0 ? occurrence.instant - 1_000 : walked[index - 1].instant
                #expect(set.next(after: before) == occurrence, name(set))
                #expect(
                    set.next(after: (before + occurrence.instant - 1) / 2)?.instant == occurrence.instant, name(set))
                #expect(set.contains(occurrence.instant), name(set))
            }
            if walked.count < 25, let last = walked.last { #expect(set.next(after: last.instant) == nil, name(set)) }
        }
    }

    @Test(arguments: 1...3) func `previous is next the other way`(_ seed: UInt64) throws {
        for set in try sets(seed: 20 + seed, count: 60) {
            let walked = set.occurrences.prefix(25).map { $0 }
            guard let last = walked.last else {
                #expect(set.previous(before: .max) == nil, name(set))
                continue
            }
            #expect(Array(set.occurrences(before: last.instant + 1)) == walked.reversed(), name(set))
            if walked.count < 25 { #expect(set.previous(before: .max) == last, name(set)) }
        }
    }

    @Test(arguments: 1...3) func `counting is walking`(_ seed: UInt64) throws {
        var random = RandomRule(seed: seed)
        for set in try sets(seed: 40 + seed, count: 60) {
            let walked = set.occurrences.prefix(60).map(\.instant)
            guard let first = walked.first, let last = walked.last else {
                #expect(set.count(in: Int.min..<Int.max) == 0, name(set))
                continue
            }
            for _ in 0..<5 {
                let ends = [random.int(first - 10, last), random.int(first - 10, last)].sorted()
                let expected = walked.count { $0 >= ends[0] && $0 < ends[1] }
                #expect(set.count(in: ends[0]..<ends[1]) == expected, name(set))
            }
            #expect(set.count(in: .min..<last + 1) == walked.count, name(set))
        }
    }

    @Test func `days added and taken away are union and difference`() throws {
        var random = RandomRule(seed: 60)
        for _ in 0..<60 {
            let (rule, start) = rule(&random, RecurrenceRule.Frequency.allCases)
            let zone = (Self.zones.randomElement(using: &random.random) ?? nil).flatMap(ZoneTable.named)
            let plain = try RecurrenceSet(start: start, zone: zone, rule: rule)
            let members = plain.occurrences.prefix(30).map { $0 }
            let added = (0..<5).map { _ in LocalDateTime(seconds: start.seconds + random.int(-1000, 5_000_000)) }
            let taken = members.filter { _ in random.chance(3) }.map(\.local) + added.prefix(2)
            let set = try RecurrenceSet(start: start, zone: zone, rule: rule, exdates: taken, rdates: added)
            func instants(_ times: [LocalDateTime]) -> Set<Int> {
                Set(times.map { zone?.instant(of: $0) ?? $0.seconds })
            }
            let limit = members.count == 30 ? members[29].instant : .max
            let expected = Set(members.map(\.instant)).union(instants(added)).subtracting(instants(taken))
            let found = set.occurrences.prefix { $0.instant <= limit }.map(\.instant)
            #expect(found == expected.filter { $0 <= limit }.sorted(), name(set))
        }
    }

    @Test func `reading a printed rule gives the same rule`() throws {
        var random = RandomRule(seed: 80)
        for _ in 0..<1000 {
            let (rule, start) = rule(&random, RecurrenceRule.Frequency.allCases)
            #expect(try RecurrenceRule(rule.text) == rule)
            #expect(!rule.summary(start: start).contains("  "))
        }
    }
}
