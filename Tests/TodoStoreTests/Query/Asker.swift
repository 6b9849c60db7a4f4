import Foundation
import TodoModel

@testable import TodoStore

/// Who asks, and what their account says of their days.
struct Asker {
    var user = UUID()
    var now: Instant
    var zone: String
    var dayStart: TimeOfDay
    var weekStart = TaskDate.Weekday.monday

    var context: QueryContext { QueryContext(user: user, now: now, weekStart: weekStart) }
}
