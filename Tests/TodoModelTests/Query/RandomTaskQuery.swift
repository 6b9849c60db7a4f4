import Foundation
import TodoModel

/// SplitMix64: the same seed gives the same queries, so that a failure can be seen again.
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

/// Makes any query that the parser can make.
struct RandomTaskQuery {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func query() -> TaskQuery {
        let filter = int(0, 9) == 0 ? .everything : self.filter(depth: 4)
        let fields = TaskSortKey.Field.allCases.shuffled(using: &random).prefix(int(0, 3))
        return TaskQuery(filter: filter, sort: fields.map { TaskSortKey($0, isDescending: bool()) })
    }

    mutating func filter(depth: Int) -> TaskFilter {
        switch depth == 0 ? 0 : int(0, 5) {
        case 0, 1, 2: return .term(term())
        case 3: return .negation(filter(depth: depth - 1))
        case 4: return .conjunction(filters(depth))
        default: return .disjunction(filters(depth))
        }
    }

    private mutating func filters(_ depth: Int) -> [TaskFilter] {
        (0..<int(1, 3)).map { _ in filter(depth: depth - 1) }
    }

    mutating func term() -> TaskTerm {
        switch int(0, 11) {
        case 0: return .word(word(), isPrefix: bool())
        case 1: return .phrase(text(searchable: true))
        case 2, 3: return date()
        case 4: return .overdue
        case 5: return .priority(condition(of: TodoTask.Priority.allCases))
        case 6: return .status(bool() ? pick(TodoTask.Status.allCases) : nil)
        case 7: return .tag(pick([.missing, .present, .name(text()), .prefix(text())]))
        case 8: return .project(pick([.missing, .present, .name(text()), .id(uuid())]))
        case 9: return .parent(pick([.missing, .present, .id(uuid())]))
        case 10: return .estimate(condition(of: [0, 1, 30, 59, 60, 61, 90, 120, 1440]))
        default: return .flag(pick(TaskFlag.allCases))
        }
    }

    /// A comparison is never by a range that the parser writes as a comparison, and a range never ends before it begins.
    private mutating func condition<Value: Comparable & Hashable & Sendable>(
        of values: [Value]
    ) -> TaskCondition<Value> {
        let (first, last) = (pick(values), pick(values))
        // `priority:none` is the lowest priority: every task has one.
        let isOptional = Value.self == Int.self
        switch int(0, 5) {
        case 0 where isOptional: return .missing
        case 1: return .present
        case 2: return .between(min(first, last), max(first, last))
        default: return .compared(pick(TaskComparison.allCases), first)
        }
    }

    private mutating func date() -> TaskTerm {
        let field = pick(TaskDateField.allCases)
        switch int(0, 5) {
        case 0 where field.isOptional: return .date(field, .missing)
        case 1 where field.isOptional: return .date(field, .present)
        case 2: return .date(field, .between(day(), .now))
        case 3: return .date(field, .between(day(), .shifted(int(0, 4000), pick(TaskDate.Unit.allCases))))
        case 4: return .date(field, .compared(pick(TaskComparison.allCases.filter { $0 != .equal }), .now))
        default: return .date(field, .compared(pick(TaskComparison.allCases), day()))
        }
    }

    private mutating func day() -> TaskDate {
        switch int(0, 3) {
        case 0: return .day(CivilDate(daysSince1970: int(-719_162, 2_932_896)))
        case 1: return .weekday(pick(TaskDate.Weekday.allCases))
        case 2: return .current(pick(TaskDate.Period.allCases))
        default: return .shifted(int(-4000, 4000), pick(TaskDate.Unit.allCases))
        }
    }

    private mutating func word() -> String {
        pick(["milk", "a-b", "naïve", "牛乳", "x.y", "10:30", "don't", "50%", "a*b", "É1", "_due", "due", "orange"])
    }

    mutating func text(searchable: Bool = false) -> String {
        let pieces = [
            "home", "none", "any", " ", "\"", "\\", "*", "(", ")", "-", "or", ":", "ü", "👩‍👩‍👧", "a..b", ",", "\u{600}",
        ]
        let text = (0..<int(1, 4)).map { _ in pick(pieces) }.joined()
        return searchable ? text + "x" : text
    }

    mutating func uuid() -> UUID {
        let (high, low) = (random.next(), random.next())
        return withUnsafeBytes(of: (high, low)) { UUID(uuid: $0.load(as: uuid_t.self)) }
    }

    mutating func int(_ low: Int, _ high: Int) -> Int { .random(in: low...high, using: &random) }
    mutating func bool() -> Bool { .random(using: &random) }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[int(0, values.count - 1)] }
}
