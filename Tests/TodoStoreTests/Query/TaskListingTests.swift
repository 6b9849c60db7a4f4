import Foundation
import Postgres
import Testing
import TodoModel

@testable import TodoStore

@Suite struct TaskListingTests {
    private static let now = Instant(microsecondsSince1970: 1_780_000_000_000_000)
    private let context = QueryContext(user: UUID(), now: now)

    private func sql(_ text: String, after cursor: String? = nil) throws -> String {
        let listing = try TaskListing(TaskQuery(parsing: text), in: context, after: cursor, limit: 10)
        return ("\(listing.condition) ORDER BY \(listing.orderBy)" as SQLFragment).query(named: "test").sql
    }

    private func task(title: String = "milk", due: Due? = nil) -> TodoTask {
        TodoTask(
            user: context.user, id: UUID(), project: UUID(), title: title, due: due, position: "V", created: Self.now,
            updated: Self.now, seq: 1)
    }

    @Test(arguments: [
        ("milk", "it's"), ("milk*", "x*"), ("\"a b\"", "\"c\""), ("due:2026-03-01", "due:2027-01-31"),
        ("due<+7d", "due<-2d"), ("due<+7d", "due<+1w"), ("created:-1m..", "created>=-2y"), ("due:monday", "due:friday"),
        ("priority>=high", "priority>=1"), ("status:open", "status:done"), ("tag:home", "tag:\"none\""),
        ("tag:h*", "tag:\"x y\"*"), ("project:work", "project:\"none\""), ("estimate>30m", "estimate>2h"),
        ("project:00000000-0000-0000-0000-000000000001", "project:00000000-0000-0000-0000-000000000002"),
    ])
    func queriesOfOneShapeShareAStatement(one: String, other: String) throws {
        #expect(try sql(one) == sql(other))
        #expect(try sql(one) != sql("-(\(other))"))
    }

    @Test func nothingThatAPersonWritesIsInTheStatement() throws {
        let text = "evilmark evilmark* \"evilmark\" tag:evilmark tag:evilmark* project:evilmark -\"';evilmark--\""
        #expect(try !sql(text).contains("evilmark"))
        let cursor = try TaskListing(TaskQuery(parsing: "sort:title"), in: context, limit: 1)
            .cursor(after: task(title: "evilmark"))
        #expect(try !sql("sort:title", after: cursor).contains("evilmark"))
    }

    @Test func theBinIsLeftOutUnlessItIsNamed() throws {
        #expect(try sql("milk").contains("t.deleted_at IS NULL"))
        #expect(try !sql("milk or is:deleted").contains("t.deleted_at IS NULL"))
    }

    @Test func pagesInOneDirectionBeginByARowComparison() throws {
        for (text, comparison) in [
            ("sort:due", "(t.due_wall, t.id) > ("), ("sort:-created", "(t.created_at, t.id) < ("),
            ("", "(t.position, t.id) > ("), ("sort:-priority,-updated", "(t.priority, t.updated_at, t.id) < ("),
        ] {
            let cursor = try TaskListing(TaskQuery(parsing: text), in: context, limit: 1).cursor(after: task())
            #expect(try sql(text, after: cursor).contains(comparison))
        }
    }

    @Test func aCursorIsGoodForItsQueryOnly() throws {
        let query = try TaskQuery(parsing: "milk sort:due,-title")
        let due = Due(date: CivilDate(daysSince1970: 20_000), time: TimeOfDay(minutes: 570), zone: "Asia/Tokyo")
        for task in [task(due: due), task(title: "ü\"\\\u{1F389}")] {
            let cursor = try TaskListing(query, in: context, limit: 1).cursor(after: task)
            #expect(cursor.utf8.allSatisfy { "A"..."Z" ~= $0 || "a"..."z" ~= $0 || "0"..."9" ~= $0 || "-_" ~= $0 })
            let read = try #require(TaskCursor(cursor, of: query))
            #expect(read == TaskCursor(values: TaskOrder(query).values(of: task), id: task.id))
            for other in ["milk sort:due", "milk sort:due,title", "milks sort:due,-title", ""] {
                #expect(throws: TaskCursorError.self) {
                    try TaskListing(TaskQuery(parsing: other), in: context, after: cursor, limit: 1)
                }
            }
        }
    }

    @Test func aCursorThatWasTamperedWithIsRefused() throws {
        let query = try TaskQuery(parsing: "sort:due,start,priority,created,title")
        let cursor = try TaskListing(query, in: context, limit: 1).cursor(after: task())
        let mark = try #require(members(of: cursor).first)
        let id = UUID().uuidString
        #expect(TaskCursor(encode([mark, id, "infinity", "2026-01-31", "low", "0", ""]), of: query) != nil)
        for bad in [
            [mark, id, "never", "infinity", "low", "0", ""], [mark, id, "infinity", "2026-02-30", "low", "0", ""],
            [mark, id, "2026-01-01 24:00", "infinity", "low", "0", ""],
            [mark, id, "infinity", "2026-01-31 09:00", "low", "0", ""],
            [mark, id, "infinity", "infinity", "lowest", "0", ""],
            [mark, id, "infinity", "infinity", "low", "9223372036854775807", ""],
            [mark, id, "infinity", "infinity", "low", "-1", ""],
            [mark, id, "infinity", "infinity", "low", "0", "\u{0}"],
            [mark, id, "infinity", "infinity", "low", "0"], [mark, id, "infinity", "infinity", "low", "0", "", ""],
            [mark, "x", "infinity", "infinity", "low", "0", ""], ["", id, "infinity", "infinity", "low", "0", ""], [],
        ] {
            #expect(TaskCursor(encode(bad), of: query) == nil, "\(bad)")
        }
        for text in ["", "!", "AAAA", String(repeating: "A", count: 100_000), "ü", "W10", "bnVsbA"] {
            #expect(TaskCursor(text, of: query) == nil)
        }
    }

    private func members(of cursor: String) throws -> [String] {
        let padding = String(repeating: "=", count: (4 - cursor.utf8.count % 4) % 4)
        let text = cursor.replacing("-", with: "+").replacing("_", with: "/") + padding
        return try JSONDecoder().decode([String].self, from: #require(Data(base64Encoded: text)))
    }

    private func encode(_ members: [String]) -> String {
        ((try? JSONEncoder().encode(members)) ?? Data()).base64EncodedString().replacing("+", with: "-")
            .replacing("/", with: "_").replacing("=", with: "")
    }
}

private func ~= (range: ClosedRange<Unicode.Scalar>, byte: UInt8) -> Bool { range.contains(Unicode.Scalar(byte)) }
private func ~= (set: String, byte: UInt8) -> Bool { set.utf8.contains(byte) }
