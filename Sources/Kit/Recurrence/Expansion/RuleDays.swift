/// The days of a rule: what BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY, BYDAY and INTERVAL leave of each year, and what
/// BYSETPOS picks from periods that are longer than a day.
struct RuleDays: YearPattern {
    let frequency: RecurrenceRule.Frequency
    let interval: Int
    /// The day on which the rule begins, in days since 1970; INTERVAL counts from its period.
    let anchor: Int
    /// Bits 1 to 12.
    let months: UInt64
    let hasMonths: Bool
    /// Bits 1 to 31.
    let monthDays: UInt64
    /// The n-th day from the end is bit `63 - n`, so that one shift brings them into place in any month.
    let lastMonthDays: UInt64
    let yearDays: [Int]
    let weekNumbers: [Int]
    /// Bit 0 is Monday.
    let weekdays: UInt64
    let ordinals: [(weekday: Int, ordinal: Int)]
    let weekStart: Int
    let skip: RecurrenceRule.Skip
    /// Only those that pick from more than a day.
    let positions: [Int]
    /// How many instances each day has before BYSETPOS.
    let perDay: Int

    private let anchorYear: Int
    /// Months since the year 0.
    private let anchorMonth: Int
    private let anchorWeek: Int

    init(_ rule: RecurrenceRule, start: CivilDate, perDay: Int) {
        let civil = start.civil
        frequency = rule.frequency
        interval = rule.interval
        anchor = start.daysSince1970
        anchorYear = civil.year
        anchorMonth = civil.year * 12 + civil.month - 1
        weekStart = rule.weekStart.index
        anchorWeek = Self.weekStart(of: anchor, weekStart)
        skip = rule.skip
        positions = rule.frequency >= .weekly ? rule.positions : []
        self.perDay = perDay
        yearDays = rule.yearDays
        weekNumbers = rule.weekNumbers

        // What a rule does not say comes from its start.
        var (months, monthDays, days) = (rule.months, rule.monthDays, rule.days)
        if days.isEmpty, monthDays.isEmpty, yearDays.isEmpty {
            switch rule.frequency {
            case .yearly where weekNumbers.isEmpty:
                monthDays = [civil.day]
                if months.isEmpty { months = [civil.month] }
            case .monthly: monthDays = [civil.day]
            case .weekly, .yearly: days = [.init(start.weekday)]
            default: break
            }
        }
        hasMonths = !months.isEmpty
        self.months = hasMonths ? UInt64(members: months) : 0x1FFE
        self.monthDays = UInt64(members: monthDays.filter { $0 > 0 })
        lastMonthDays = UInt64(members: monthDays.filter { $0 < 0 }.map { 63 + $0 })
        let plain = days.filter { $0.ordinal == nil }
        weekdays = days.isEmpty ? 0x7F : UInt64(members: plain.map(\.weekday.index))
        ordinals = days.compactMap { day in day.ordinal.map { (day.weekday.index, $0) } }
    }

    func mask(of year: CalendarYear) -> DayMask {
        switch frequency {
        case .yearly:
            guard (year.number - anchorYear).modulo(interval) == 0 else { return DayMask() }
            let mask = yearly(year)
            return positions.isEmpty ? mask : picked(from: mask)
        case .monthly:
            var mask = DayMask()
            for month in 1...12 where isActive(month, of: year) {
                let days = monthly(month, of: year)
                mask.insert(positions.isEmpty ? days : picked(from: days), at: year.start(ofMonth: month) - 1)
            }
            return mask
        case .weekly: return weekly(year)
        default: return limited(year)
        }
    }

    // MARK: - INTERVAL

    /// Every n-th year repeats itself after 400 of them at most. Months, weeks and days that are some years apart may need
    /// far more: then the end of the calendar is the limit.
    var cycle: Int { interval == 1 || frequency == .yearly || frequency < .daily ? Self.calendarCycle : .max }

    func isActive(_ month: Int, of year: CalendarYear) -> Bool {
        months.has(month)
            && (interval == 1 || (year.number * 12 + month - 1 - anchorMonth).modulo(interval) == 0)
    }

    func isActive(weekFrom day: Int) -> Bool {
        interval == 1 || ((day - anchorWeek) / 7).modulo(interval) == 0
    }

    func weekStart(of day: Int) -> Int { Self.weekStart(of: day, weekStart) }

    private static func weekStart(of day: Int, _ weekStart: Int) -> Int { day - (day + 3 - weekStart).modulo(7) }

    func year(after year: Int) -> Int {
        switch frequency {
        case .yearly: return (year + 1).alignedUp(to: anchorYear, step: interval)
        case .monthly: return ((year + 1) * 12).alignedUp(to: anchorMonth, step: interval) / 12
        case .weekly where step.days > 366, .daily where step.days > 366:
            // A week may begin in the year before.
            let from = CalendarYear(year + 1).firstDay - step.length + 1
            return max(year + 1, CalendarYear(containing: from.alignedUp(to: step.anchor, step: step.days)).number)
        default: return year + 1
        }
    }

    func year(before year: Int) -> Int {
        switch frequency {
        case .yearly: return (year - 1).alignedDown(to: anchorYear, step: interval)
        case .monthly: return (year * 12 - 1).alignedDown(to: anchorMonth, step: interval).floored(by: 12)
        case .weekly where step.days > 366, .daily where step.days > 366:
            // A week may end in the year after.
            let last = (CalendarYear(year).firstDay - 1).alignedDown(to: step.anchor, step: step.days) + step.length - 1
            return min(year - 1, CalendarYear(containing: last).number)
        default: return year - 1
        }
    }

    /// The periods of a WEEKLY or DAILY rule: how many days apart they are, how long, and where one begins.
    private var step: (days: Int, length: Int, anchor: Int) {
        frequency == .weekly ? (interval * 7, 7, anchorWeek) : (interval, 1, anchor)
    }
}
