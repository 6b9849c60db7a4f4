internal import Postgres
internal import TodoModel

/// Whose calendar and projects a condition is about: one person's; or, with columns, that of whoever
/// stands in the same row.
struct SQLPerson {
    let user: SQLFragment
    /// One that the server knows.
    let zone: SQLFragment
    /// An interval.
    let dayStart: SQLFragment
    /// For FROM: one row with `today`.
    let today: SQLFragment
    let now: Instant
    let weekStart: TaskDate.Weekday

    /// Reads `table`, which the statement has to begin with.
    init(_ context: QueryContext) {
        user = "\(context.user)"
        zone = "(SELECT zone FROM person)"
        dayStart = "(SELECT day_start FROM person)"
        today = "person"
        now = context.now
        weekStart = context.weekStart
    }

    /// - Parameter minutes: when the days begin, after midnight.
    init(user: SQLFragment, zone: SQLFragment, dayStart minutes: SQLFragment, now: Instant) {
        let dayStart: SQLFragment = "\(minutes) * interval '1 minute'"
        self.user = user
        self.zone = zone
        self.dayStart = dayStart
        today = "(SELECT (timezone(\(zone), \(now.timestamp)) - \(dayStart))::date AS today) AS calendar"
        self.now = now
        weekStart = .monday
    }

    /// A CTE: what the account says, which each date that is compared needs several times. To look that up for each of them,
    /// behind the fence of `users`, took a quarter of a list by date. Nothing is looked up where no date is.
    static func table(_ context: QueryContext) -> SQLFragment {
        """
        person AS MATERIALIZED (
            SELECT zone, day_start, (timezone(zone, \(context.now.timestamp)) - day_start)::date AS today FROM (
                SELECT COALESCE(known_zone(u.zone), 'UTC') AS zone, u.day_start * interval '1 minute' AS day_start
                FROM users u WHERE u.id = \(context.user) OFFSET 0) account)
        """
    }
}

/// The person's calendar in SQL. PostgreSQL knows the zones; what it works out once for a statement stands in a scalar
/// subquery, which is run once, where an expression of parameters would be evaluated for each row.
struct SQLCalendar {
    let person: SQLPerson

    var zone: SQLFragment { person.zone }
    var now: SQLFragment { "\(person.now.timestamp)" }
    /// The wall time of now.
    var localNow: SQLFragment { "(SELECT timezone(\(zone), \(now)))" }
    var dayStart: SQLFragment { person.dayStart }

    /// The first day of a stretch of days; `now` stands for today.
    func start(of date: TaskDate) -> SQLFragment { bound(date, isEnd: false) }

    /// The day after its last.
    func end(of date: TaskDate) -> SQLFragment { bound(date, isEnd: true) }

    /// The wall time at which a day begins.
    func wall(_ day: SQLFragment) -> SQLFragment { "(SELECT \(day)::timestamp + \(dayStart))" }

    /// The instant at which a day begins.
    func instant(_ day: SQLFragment) -> SQLFragment {
        "(SELECT timezone(\(zone), \(day)::timestamp + \(dayStart)))"
    }

    private func bound(_ date: TaskDate, isEnd: Bool) -> SQLFragment {
        let days = Int32(isEnd ? 1 : 0)
        switch date {
        case .day(let day): return "\(PostgresDate(daysSince1970: day.daysSince1970 + Int(days)))"
        case .now: return fromToday("today + \(days)")
        case .shifted(let amount, .day): return fromToday("today + \(Int32(amount) + days)")
        case .shifted(let amount, .week): return fromToday("today + \(Int32(amount) * 7 + days)")
        case .shifted(let amount, .month): return fromToday(months(amount, days))
        case .shifted(let amount, .year): return fromToday(months(amount * 12, days))
        case .weekday(let weekday):
            return fromToday(
                "today + mod(\(Int32(weekday.rawValue)) - extract(isodow FROM today)::int + 7, 7) + \(days)")
        case .current(.week):
            let first = Int32(person.weekStart.rawValue)
            return fromToday("today - mod(extract(isodow FROM today)::int - \(first) + 7, 7) + \(days * 7)")
        case .current(.month): return fromToday(period("month", days))
        case .current(.year): return fromToday(period("year", days))
        }
    }

    private func months(_ count: Int, _ days: Int32) -> SQLFragment {
        "(today + make_interval(months => \(Int32(count))))::date + \(days)"
    }

    private func period(_ unit: String, _ count: Int32) -> SQLFragment {
        "(date_trunc('\(raw: unit)', today::timestamp) + \(count) * interval '1 \(raw: unit)')::date"
    }

    private func fromToday(_ expression: SQLFragment) -> SQLFragment {
        "(SELECT \(expression) FROM \(person.today))"
    }
}
