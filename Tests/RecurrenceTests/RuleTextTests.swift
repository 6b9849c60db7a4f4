import Recurrence
import Testing

@Suite struct RuleTextTests {
    @Test(arguments: [
        ("COUNT=4;byday=fr,MO;FREQ=weekly;WKST=SU;INTERVAL=02", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=MO,FR;WKST=SU"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,15,1,15", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1"),
        ("FREQ=YEARLY;BYDAY=+1MO,-1SU,TU", "FREQ=YEARLY;BYDAY=TU,1MO,-1SU"),
        ("FREQ=DAILY;UNTIL=20261231T235959Z;INTERVAL=1", "FREQ=DAILY;UNTIL=20261231T235959Z"),
        ("FREQ=DAILY;UNTIL=20261231;WKST=MO", "FREQ=DAILY;UNTIL=20261231"),
        ("RSCALE=gregorian;FREQ=MONTHLY;SKIP=backward", "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD"),
        ("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=OMIT", "FREQ=MONTHLY"),
    ])
    func `a rule has one form`(_ text: String, _ expected: String) throws {
        #expect(try RecurrenceRule(text).text == expected)
    }

    @Test(arguments: [
        ("", 0, "FREQ=DAILY"), ("FREQ=DAYLY", 5, "SECONDLY, MINUTELY"), ("INTERVAL=2", 10, "FREQ is missing"),
        ("FREQ=DAILY;", 11, "separated by ;"), ("FREQ=DAILY;FOO=1", 11, "the parts are FREQ"),
        ("FREQ=DAILY;FREQ=DAILY", 11, "twice"), ("FREQ=DAILY;INTERVAL=0", 20, "from 1"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20260101", 25, "not both"), ("FREQ=DAILY;BYMONTH=1,13", 21, "1 to 12"),
        ("FREQ=WEEKLY;BYDAY=MO,2TU", 18, "MONTHLY or YEARLY"), ("FREQ=MONTHLY;BYDAY=MO,54TU", 22, "1 to 53"),
        ("FREQ=MONTHLY;BYDAY=XX", 19, "MO, TU"), ("FREQ=DAILY;SKIP=FORWARD", 16, "RSCALE=GREGORIAN"),
        ("FREQ=DAILY;RSCALE=HEBREW", 18, "GREGORIAN"), ("FREQ=WEEKLY;BYMONTHDAY=1", 23, "FREQ=WEEKLY"),
        ("FREQ=DAILY;UNTIL=2026-01-01", 17, "20261231"), ("FREQ=DAILY;ü=1", 11, "the parts are"),
        ("FREQ=DAILY;BYHOUR=+9", 18, "0 to 23"), ("FREQ=DAILY;BYSETPOS=1", 20, "BY"),
    ])
    func `what is wrong is refused with its place and what is allowed`(_ text: String, _ offset: Int, _ part: String) {
        #expect {
            try RecurrenceRule(text)
        } throws: { error in
            let error = error as? RecurrenceError
            return error?.offset == offset && error?.message.contains(part) == true
        }
    }

    @Test func `whatever is typed is a rule or an error that points into the text`() {
        let pieces = [
            "FREQ", "=", ";", ",", "DAILY", "MONTHLY", "YEARLY", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "1", "-1",
            "53",
            "MO", "2TU", "20260101", "T", "Z", "99999999999999999999", "ü", "👩‍👩‍👧", "\u{301}", "\r\n", " ", "\u{0}",
            "BYSETPOS", "SKIP", "RSCALE", "GREGORIAN", "FORWARD", "+", "*", "/", "L", "W", "#", "P", "d", "@daily",
        ]
        var random = SeededGenerator(seed: 5)
        for _ in 0..<5000 {
            let count = Int.random(in: 0...12, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let limit = text.unicodeScalars.count
            do throws(RecurrenceError) { _ = try RecurrenceRule(text) } catch {
                #expect((0...limit).contains(error.offset))
            }
            do throws(RecurrenceError) { _ = try CronExpression(text) } catch {
                #expect((0...limit).contains(error.offset))
            }
            do throws(RecurrenceError) { _ = try CalendarDuration(text) } catch {
                #expect((0...limit).contains(error.offset))
            }
        }
    }

    @Test(arguments: [
        ("FREQ=DAILY", "every day at 09:00"),
        ("FREQ=DAILY;INTERVAL=3", "every 3 days at 09:00"),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "every weekday at 09:00"),
        ("FREQ=WEEKLY", "every Saturday at 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "every 2 weeks on Tuesdays and Thursdays at 09:00"),
        ("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;COUNT=12", "every last Friday at 17:00, 12 times"),
        ("FREQ=MONTHLY", "every month on the 31st at 09:00"),
        (
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD",
            "every month on the 31st at 09:00 (the last day of a shorter month)"
        ),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1,15,-1", "every 3 months on the 1st, 15th and last day at 09:00"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "every month on the 13th if it is Friday at 09:00"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday at 09:00"),
        ("FREQ=YEARLY", "every year on 31 January at 09:00"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "every year on the fourth Thursday of November at 09:00"),
        ("FREQ=YEARLY;BYDAY=20MO", "every year on the 20th Monday of the year at 09:00"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "every year on Monday of week 20 at 09:00"),
        ("FREQ=YEARLY;BYYEARDAY=1,100", "every year on the 1st and 100th day of the year at 09:00"),
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=20261231T170000Z", "every 3 hours, until 31 December 2026 at 17:00 UTC"),
        ("FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10;BYDAY=MO", "every 20 minutes on Mondays in hours 9 and 10"),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30", "every day at 09:30 and 17:30"),
        ("FREQ=DAILY;COUNT=1", "every day at 09:00, once"),
        (
            "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3",
            "every month on the third of Tuesday, Wednesday and Thursday at 09:00"
        ),
        ("FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1", "every Monday and Wednesday at 09:00, only the first of each week"),
    ])
    func `a rule reads as a sentence`(_ text: String, _ expected: String) throws {
        let start = try #require(LocalDateTime("2026-01-31T09:00:00"))
        #expect(try RecurrenceRule(text).summary(start: start) == expected)
    }

    @Test func `whole days have no times`() throws {
        let start = LocalDateTime(date: try #require(CivilDate("2026-01-31")))
        let rule = try RecurrenceRule("FREQ=MONTHLY;BYDAY=1MO,-1FR;UNTIL=20261231")
        #expect(
            rule.summary(start: start, isAllDay: true) == "every first Monday and last Friday, until 31 December 2026")
    }

    @Test(arguments: [
        ("FREQ=MONTHLY;BYDAY=2MO", "every month on the second Monday"),
        (
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU,1MO,-1FR",
            "every 2 months on every Tuesday, the first Monday and last Friday"
        ),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTH=1,7", "every Friday in January and July"),
        ("FREQ=YEARLY;BYDAY=FR;BYMONTH=1,7", "every year on Fridays in January and July"),
        ("FREQ=YEARLY;BYDAY=MO;BYSETPOS=1", "every year on the first Monday of the year"),
        (
            "FREQ=YEARLY;BYMONTH=1,7;BYDAY=MO;BYSETPOS=-1",
            "every year on Mondays in January and July, only the last of each year"
        ),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every day"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every 2 weeks on every day"),
        ("FREQ=DAILY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every 2 days"),
        ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every month on the 13th"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1;BYDAY=SA,SU", "every month on the last day if it is a weekend day"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=MO,TU,WE", "every month on the 1st if it is Monday, Tuesday or Wednesday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=1MO", "every month on the 1st if it is the first Monday"),
        ("FREQ=MONTHLY;BYMONTHDAY=2,3,11,12,13,21,22", "every month on the 2nd, 3rd, 11th, 12th, 13th, 21st and 22nd"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2,-11", "every month on the 11th to last day and second to last day"),
        ("FREQ=YEARLY;BYYEARDAY=100,-1;BYDAY=MO", "every year on the 100th and last day of the year if it is Monday"),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO", "every year on Monday of the last week"),
        (
            "FREQ=YEARLY;BYWEEKNO=1,20,-2;BYDAY=MO,TU,WE,TH,FR",
            "every year on every weekday of weeks 1, 20 and the second to last week"
        ),
        ("FREQ=YEARLY;BYWEEKNO=20;BYMONTHDAY=15", "every year on the 15th of every month in week 20"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;RSCALE=GREGORIAN;SKIP=BACKWARD", "every month on the 1st"),
        ("FREQ=MONTHLY;BYDAY=FR;RSCALE=GREGORIAN;SKIP=BACKWARD", "every Friday"),
        ("FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=BACKWARD", "every year on 31 January"),
        (
            "FREQ=YEARLY;BYMONTH=1,4;RSCALE=GREGORIAN;SKIP=BACKWARD",
            "every year on 31 January and 31 April (the last day of a shorter month)"
        ),
    ])
    func `a rule of days reads as a sentence`(_ text: String, _ expected: String) throws {
        let start = LocalDateTime(date: try #require(CivilDate("2026-01-31")))
        #expect(try RecurrenceRule(text).summary(start: start, isAllDay: true) == expected)
    }

    @Test(arguments: [
        ("FREQ=HOURLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "every hour"),
        ("FREQ=HOURLY;BYMINUTE=0,30", "every hour in minutes 0 and 30"),
        ("FREQ=DAILY;BYHOUR=8,9,10,11,12,13,14", "every day at 08:30, 09:30, 10:30, 11:30, 12:30, 13:30 and 14:30"),
        (
            "FREQ=DAILY;BYMINUTE=0,1,2,3,4;BYSECOND=0,10,20,30,40,50",
            "every day in hour 9, in minutes 0, 1, 2, 3 and 4, in seconds 0, 10, 20, 30, 40 and 50"
        ),
    ])
    func `the times of a rule are all said`(_ text: String, _ expected: String) throws {
        let start = try #require(LocalDateTime("2026-01-31T09:30:00"))
        #expect(try RecurrenceRule(text).summary(start: start) == expected)
    }

    @Test(arguments: [
        ("1d", 1, 0, "P1D"), ("2h30m", 0, 9000, "PT2H30M"), ("0m", 0, 0, "PT0S"), ("1w2d", 9, 0, "P9D"),
        ("P1DT2H", 1, 7200, "P1DT2H"), ("-PT15M", 0, -900, "-PT15M"), ("p2w", 14, 0, "P14D"), ("90s", 0, 90, "PT1M30S"),
    ])
    func `lengths of time are read in both forms`(_ text: String, _ days: Int, _ seconds: Int, _ iso: String) throws {
        let duration = try CalendarDuration(text)
        #expect(duration == CalendarDuration(days: days, seconds: seconds))
        #expect(duration.text == iso)
        #expect(try CalendarDuration(iso) == duration)
    }

    @Test(arguments: [
        "", "P", "PT", "1", "d", "1h1d", "P1H", "PT1D", "1x", "1d ", "1.5h", "P1DT", "99999999999d", "1d1d",
    ])
    func `what is no length of time is refused`(_ text: String) {
        #expect(throws: RecurrenceError.self) { try CalendarDuration(text) }
    }

    @Test(arguments: [
        ("2024-02-29T09:00:00", "2024-02-29T09:00:00"), ("2024-02-29T09:00", "2024-02-29T09:00:00"),
        ("1969-12-31t23:59:60", "1969-12-31T23:59:59"), ("0001-01-01T00:00:01", "0001-01-01T00:00:01"),
    ])
    func `wall times are read and printed`(_ text: String, _ printed: String) {
        #expect(LocalDateTime(text)?.text == printed)
    }

    @Test(arguments: [
        "2023-02-29T09:00:00", "2024-02-29T24:00:00", "2024-02-29 09:00:00", "2024-02-29T09:00:0", "é024-02-29T09:0",
    ])
    func `what is no wall time is none`(_ text: String) { #expect(LocalDateTime(text) == nil) }
}
