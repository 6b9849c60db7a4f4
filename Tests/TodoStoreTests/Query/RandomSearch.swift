import Foundation
import TodoModel
import TodoStore

/// SplitMix64: the same seed gives the same tasks and queries, so that a failure can be seen again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

/// Makes tasks that lie around the edges of a person's days, and queries that some of them answer.
struct RandomSearch {
    static let vocabulary = ["buy", "milk", "milkshake", "garden", "gardener", "call", "mother", "tax", "tax2026"]
    static let zones = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
    static let tags = ["home", "house", "garden", "work"]

    let asker: Asker
    let projects: [UUID]
    let projectNames: [String]
    var random: SeededGenerator
    private var ids = UUIDv7Generator()

    init(_ asker: Asker, projects: [(id: UUID, name: String)], seed: UInt64) {
        self.asker = asker
        self.projects = projects.map(\.id)
        projectNames = projects.map(\.name)
        random = SeededGenerator(seed: seed)
    }

    mutating func tasks(_ count: Int) -> [TodoTask] {
        var tasks: [TodoTask] = []
        for _ in 0..<count {
            let task = task(after: tasks)
            tasks.append(task)
        }
        return tasks
    }

    private mutating func task(after others: [TodoTask]) -> TodoTask {
        let project = pick(projects)
        let parents = others.filter { $0.project == project }
        let status = chance(3) ? .open : pick(TodoTask.Status.allCases)
        let created = instant()
        return TodoTask(
            user: asker.user, id: ids.next(at: created, using: &random), project: project,
            parent: chance(2) || parents.isEmpty ? nil : pick(parents).id, title: words(1, 4),
            description: chance(2) ? "" : words(1, 5), status: status, priority: pick(TodoTask.Priority.allCases),
            due: chance(4) ? nil : due(), start: chance(2) ? nil : day(),
            estimate: chance(2) ? nil : pick([15, 30, 60, 90]),
            tags: Self.tags.filter { _ in chance(3) }.sorted(), position: pick(["V", "a", "aV", "z", "Z1"]),
            created: created, updated: instant(), completed: status == .open ? nil : instant(),
            deleted: chance(8) ? instant() : nil, seq: 1)
    }

    private mutating func due() -> Due {
        let date = day()
        guard !chance(3), let time = TimeOfDay(minutes: minutes()) else { return Due(date: date) }
        return Due(date: date, time: time, zone: chance(2) ? nil : pick(Self.zones))
    }

    /// Near today more often than not.
    private mutating func day() -> CivilDate {
        let reach = pick([1, 2, 9, 40, 400])
        return CivilDate(daysSince1970: NaiveCalendar(asker).today.daysSince1970 + int(-reach, reach))
    }

    private mutating func minutes() -> Int {
        let start = asker.dayStart.minutes
        return pick([0, max(0, start - 1), start, start + 1, 719, 1439, int(0, 1439)])
    }

    /// With microseconds now and then, and now itself.
    private mutating func instant() -> Instant {
        if chance(30) { return asker.now }
        let wall = day().daysSince1970 * 86_400 + minutes() * 60
        let microseconds = pick([0, 0, 1, 999_999])
        return Instant(
            microsecondsSince1970: Int64(NaiveCalendar.instant(wall: wall, in: asker.zone)) * 1_000_000
                + Int64(microseconds))
    }

    private mutating func words(_ low: Int, _ high: Int) -> String {
        (0..<int(low, high)).map { _ in pick(Self.vocabulary) }.joined(separator: pick([" ", " ", ", "]))
    }

    mutating func query() -> TaskQuery {
        let filter = chance(12) ? .everything : self.filter(depth: 3)
        let keys = TaskSortKey.Field.allCases.shuffled(using: &random).prefix(int(0, 3))
        return TaskQuery(filter: filter, sort: keys.map { TaskSortKey($0, isDescending: chance(2)) })
    }

    private mutating func filter(depth: Int) -> TaskFilter {
        switch depth == 0 ? 0 : int(0, 6) {
        case 0, 1, 2: .term(term())
        case 3: .negation(filter(depth: depth - 1))
        case 4: .conjunction([filter(depth: depth - 1), filter(depth: depth - 1)])
        default: .disjunction((0..<int(2, 3)).map { _ in filter(depth: depth - 1) })
        }
    }

    private mutating func term() -> TaskTerm {
        switch int(0, 14) {
        case 0:
            let word = pick(Self.vocabulary)
            return chance(2) ? .word(word.uppercased(), isPrefix: false) : .word(String(word.prefix(3)), isPrefix: true)
        case 1: return .phrase(pick(Self.vocabulary) + " " + pick(Self.vocabulary))
        case 2: return .overdue
        case 3: return .priority(chance(8) ? .present : condition(TodoTask.Priority.allCases))
        case 4: return .status(chance(4) ? nil : pick(TodoTask.Status.allCases))
        case 5: return .tag(pick([.missing, .present, .name(pick(Self.tags)), .name("HOME"), .prefix("ho")]))
        case 6:
            return .project(pick([.missing, .present, .name(pick(projectNames).uppercased()), .id(pick(projects))]))
        case 7: return .parent(pick([.missing, .present]))
        case 8: return .estimate(chance(5) ? .missing : chance(5) ? .present : condition([15, 30, 45, 60, 90]))
        case 9: return .flag(pick(TaskFlag.allCases))
        default: return .date(pick(TaskDateField.allCases + [.due, .due]), dateCondition())
        }
    }

    private mutating func condition<Value: Comparable>(_ values: [Value]) -> TaskCondition<Value> {
        let (first, last) = (pick(values), pick(values))
        return chance(4)
            ? .between(min(first, last), max(first, last)) : .compared(pick(TaskComparison.allCases), first)
    }

    private mutating func dateCondition() -> TaskCondition<TaskDate> {
        switch int(0, 9) {
        case 0: .missing
        case 1: .present
        case 2, 3: .between(date(), date())
        default: .compared(pick(TaskComparison.allCases), date())
        }
    }

    private mutating func date() -> TaskDate {
        switch int(0, 7) {
        case 0: .day(day())
        case 1: .weekday(pick(TaskDate.Weekday.allCases))
        case 2: .current(pick(TaskDate.Period.allCases))
        case 3: .now
        case 4: .shifted(int(-14, 14), pick([.month, .week]))
        case 5: .shifted(int(-2, 2), .year)
        default: .shifted(int(-3, 3), .day)
        }
    }

    mutating func int(_ low: Int, _ high: Int) -> Int { .random(in: low...high, using: &random) }
    /// One time in so many.
    mutating func chance(_ times: Int) -> Bool { int(1, times) == 1 }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[int(0, values.count - 1)] }
}
