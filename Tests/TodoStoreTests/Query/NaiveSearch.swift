import Foundation
import TodoModel
import TodoStore

/// What a query finds, told task by task without SQL.
struct NaiveSearch {
    let query: TaskQuery
    let calendar: NaiveCalendar
    let projects: [UUID: String]
    let inbox: UUID

    func results(among tasks: [TodoTask]) -> [TodoTask] {
        let keys = query.sort.isEmpty ? [TaskSortKey(.position)] : query.sort
        return tasks.filter { ($0.deleted == nil || query.filter.mentionsBin) && matches($0, query.filter) }
            .sorted { comesBefore($0, $1, keys) }
    }

    func matches(_ task: TodoTask, _ filter: TaskFilter) -> Bool {
        switch filter {
        case .all(let parts): parts.allSatisfy { matches(task, $0) }
        case .any(let parts): parts.contains { matches(task, $0) }
        case .not(let part): !matches(task, part)
        case .term(let term): matches(task, term)
        }
    }

    private func matches(_ task: TodoTask, _ term: TaskTerm) -> Bool {
        switch term {
        case .word(let word, let isPrefix):
            return words(of: task).contains { isPrefix ? $0.hasPrefix(word.lowercased()) : $0 == word.lowercased() }
        case .phrase(let phrase):
            let (text, wanted) = (words(of: task), words(in: phrase))
            return text.indices.contains { text[$0...].starts(with: wanted) }
        case .date(let field, let condition): return matches(task, field, condition)
        case .overdue: return task.status == .open && matches(task, .due, .compared(.less, .now))
        case .priority(.present): return task.priority != .none
        case .priority(let condition): return compare(task.priority, condition)
        case .status(let status): return status == nil || status == task.status
        case .tag(.missing): return task.tags.isEmpty
        case .tag(.present): return !task.tags.isEmpty
        case .tag(.name(let name)): return task.tags.contains(name.lowercased())
        case .tag(.prefix(let prefix)): return task.tags.contains { $0.hasPrefix(prefix.lowercased()) }
        case .project(.missing): return task.project == inbox
        case .project(.present): return task.project != inbox
        case .project(.name(let name)): return projects[task.project]?.lowercased() == name.lowercased()
        case .project(.id(let id)): return task.project == id
        case .parent(.missing): return task.parent == nil
        case .parent(.present): return task.parent != nil
        case .parent(.id(let id)): return task.parent == id
        case .parent(.name): return false
        case .estimate(let condition): return compare(task.estimate, condition)
        case .flag(.subtask): return task.parent != nil
        case .flag(.deleted): return task.deleted != nil
        case .flag(.description): return !task.description.isEmpty
        }
    }

    private func words(of task: TodoTask) -> [String] { words(in: task.title) + words(in: task.description) }

    private func words(in text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    private func compare<Value: Comparable>(_ value: Value?, _ condition: TaskCondition<Value>) -> Bool {
        guard let value else { return condition == .missing }
        return switch condition {
        case .missing: false
        case .present: true
        case .compared(.less, let other): value < other
        case .compared(.lessOrEqual, let other): value <= other
        case .compared(.equal, let other): value == other
        case .compared(.greaterOrEqual, let other): value >= other
        case .compared(.greater, let other): value > other
        case .between(let low, let high): low <= value && value <= high
        }
    }
}

extension NaiveSearch {
    private func matches(_ task: TodoTask, _ field: TaskDateField, _ condition: TaskCondition<TaskDate>) -> Bool {
        switch field {
        case .due:
            guard let due = task.due else { return condition == .missing }
            guard let time = due.time else { return holds(condition) { compareDay(due.date, $0) } }
            var wall = due.date.daysSince1970 * 86_400 + time.minutes * 60
            if let zone = due.zone {
                let instant = NaiveCalendar.instant(wall: wall, in: zone)
                wall = NaiveCalendar.wall(
                    of: Instant(microsecondsSince1970: Int64(instant) * 1_000_000), in: calendar.asker.zone)
            }
            return holds(condition) { compareWall(wall, $0) }
        case .start:
            guard let start = task.start else { return condition == .missing }
            return holds(condition) { compareDay(start, $0) }
        case .created: return matches(task.created, condition)
        case .updated: return matches(task.updated, condition)
        case .completed: return matches(task.completed, condition)
        }
    }

    private func matches(_ instant: Instant?, _ condition: TaskCondition<TaskDate>) -> Bool {
        guard let instant else { return condition == .missing }
        return holds(condition) { date in
            if date == .now { return order(instant, calendar.asker.now) }
            let days = calendar.days(of: date)
            let edges = [days.lowerBound, days.upperBound + 1].map { day in
                let wall = day * 86_400 + calendar.dayStart
                return Int64(NaiveCalendar.instant(wall: wall, in: calendar.asker.zone)) * 1_000_000
            }
            let value = instant.microsecondsSince1970
            return value < edges[0] ? -1 : value >= edges[1] ? 1 : 0
        }
    }

    /// `compare` tells whether the task lies before, in or after a date.
    private func holds(_ condition: TaskCondition<TaskDate>, _ compare: (TaskDate) -> Int) -> Bool {
        switch condition {
        case .missing: false
        case .present: true
        case .compared(.less, let date): compare(date) < 0
        case .compared(.lessOrEqual, let date): compare(date) <= 0
        case .compared(.equal, let date): compare(date) == 0
        case .compared(.greaterOrEqual, let date): compare(date) >= 0
        case .compared(.greater, let date): compare(date) > 0
        case .between(let first, let last): compare(first) >= 0 && compare(last) <= 0
        }
    }

    private func compareDay(_ day: CivilDate, _ date: TaskDate) -> Int {
        let days = calendar.days(of: date)
        return day.daysSince1970 < days.lowerBound ? -1 : day.daysSince1970 > days.upperBound ? 1 : 0
    }

    private func compareWall(_ wall: Int, _ date: TaskDate) -> Int {
        if date == .now {
            // Within the second of now a task is due at its beginning.
            let now = Double(calendar.localNow) + Double(calendar.asker.now.microsecondsSince1970 % 1_000_000) / 1e6
            return order(Double(wall), now)
        }
        let days = calendar.days(of: date)
        let (first, next) = (days.lowerBound, days.upperBound + 1)
        return wall < first * 86_400 + calendar.dayStart ? -1 : wall >= next * 86_400 + calendar.dayStart ? 1 : 0
    }

    private func comesBefore(_ left: TodoTask, _ right: TodoTask, _ keys: [TaskSortKey]) -> Bool {
        for key in keys {
            let result = compare(left, right, key)
            if result != 0 { return result < 0 }
        }
        let result = order(left.id.uuidString, right.id.uuidString)
        return keys.last?.isDescending == true ? result > 0 : result < 0
    }

    private func compare(_ left: TodoTask, _ right: TodoTask, _ key: TaskSortKey) -> Int {
        func ordered<Value: Comparable>(_ value: (TodoTask) -> Value?) -> Int {
            switch (value(left), value(right)) {
            case (nil, nil): 0
            case (nil, _): 1
            case (_, nil): -1
            case (let left?, let right?): key.isDescending ? order(right, left) : order(left, right)
            }
        }
        return switch key.field {
        case .due: ordered { $0.due.map { $0.date.daysSince1970 * 1440 + ($0.time?.minutes ?? 0) } }
        case .start: ordered(\.start)
        case .priority: ordered(\.priority)
        case .created: ordered(\.created)
        case .updated: ordered(\.updated)
        case .title: ordered { $0.title.lowercased() }
        case .position: ordered(\.position)
        }
    }

    private func order<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
        left < right ? -1 : left > right ? 1 : 0
    }
}
