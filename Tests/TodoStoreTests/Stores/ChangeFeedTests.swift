import FoundationEssentials
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct ChangeFeedTests {
    /// All changes after a cursor, in pages of `limit`.
    private func changes(
        _ stores: Stores, after cursor: ChangeCursor = .init(), limit: Int = 3, for user: User
    ) async throws -> (items: [ChangeFeed.Change], cursor: ChangeCursor) {
        var (items, cursor): ([ChangeFeed.Change], ChangeCursor) = ([], cursor)
        while true {
            let page = try await stores.database.changes.page(after: cursor, limit: limit, for: user.id)
            items += page.changes
            #expect(page.next != cursor || !page.hasMore)
            cursor = try #require(ChangeCursor("\(page.next)"))
            if !page.hasMore { return (items, cursor) }
        }
    }

    @Test func `everything comes once, in order, in the form of the API`() async throws {
        try await Stores.with { stores in
            for n in 0..<10 { _ = try await stores.create("\(n)") }
            let filter = try await stores.database.filters.create(.init(name: "f", query: "milk"), of: stores.ada.id)
            let (items, cursor) = try await changes(stores, for: stores.ada)
            #expect(items.map(\.seq) == Array(1...12))
            #expect(items.map(\.type) == ["project"] + Array(repeating: "task", count: 10) + ["filter"])
            #expect(items.last?.body == filter.json)
            let project = try #require(try await stores.database.projects.all(for: stores.ada.id).first)
            #expect(items.first?.body == project.json)
            #expect(try await changes(stores, after: cursor, for: stores.ada).items.isEmpty)
            let task = try await stores.create("new")
            let (news, _) = try await changes(stores, after: cursor, for: stores.ada)
            #expect(news.map(\.body) == [task.json])
        }
    }

    @Test func `somebody whom a second project is shared with gets its old tasks`() async throws {
        try await Stores.with { stores in
            let second = try await stores.database.projects.create(.init(name: "Second"), by: stores.ada.id)
            let old = try await stores.create("old") { $0.project = second.id }
            _ = try await stores.create("never")
            let first = try await stores.shared(.viewer)
            let task = try await stores.create("x") { $0.project = first.id }
            let (items, cursor) = try await changes(stores, for: stores.ben)
            #expect(Set(items.map(\.id)).isSuperset(of: [first.id, task.id]) && !items.map(\.id).contains(old.id))
            _ = try await stores.database.projects.share(
                second.id, with: stores.ben.email, as: .editor, by: stores.ada.id)
            let (news, _) = try await changes(stores, after: cursor, for: stores.ben)
            #expect(news.map(\.id) == [second.id, old.id])
            #expect(news.first?.body?["role"] == "editor")
        }
    }

    @Test func `what leaves somebody's sight is told as gone`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            let task = try await stores.create("x") { $0.project = project.id }
            let other = try await stores.create("y") { $0.project = project.id }
            let (_, cursor) = try await changes(stores, for: stores.ben)
            let inbox = try #require(try await stores.database.projects.all(for: stores.ada.id).first)
            _ = try await stores.database.tasks.move(
                task.id, TaskMove(project: inbox.id), by: stores.operation(by: stores.ada))
            _ = try await stores.database.tasks.delete(other.id, by: stores.operation(by: stores.ada))
            let (gone, next) = try await changes(stores, after: cursor, for: stores.ben)
            #expect(gone.map(\.id) == [task.id, other.id] && gone.map(\.isDeleted) == [true, true])
            #expect(gone[0].body == nil, "where it went is not theirs to know")
            let (own, _) = try await changes(stores, for: stores.ada)
            #expect(own.last { $0.id == task.id }?.isDeleted == false)
            try await stores.database.projects.remove(stores.ben.id, from: project.id, by: stores.ada.id)
            let (left, end) = try await changes(stores, after: next, for: stores.ben)
            #expect(left.map(\.id) == [project.id] && left[0].isDeleted && left[0].user == stores.ben.id)
            #expect(end.positions.map(\.owner) == [stores.ben.id])
        }
    }

    @Test func `the event of what leaves somebody's sight says no more than they saw`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            let task = try await stores.create("old") { $0.project = project.id }
            let inbox = try #require(try await stores.database.projects.all(for: stores.ada.id).first)
            let patch = TodoTask.Patch.with {
                $0.title = "secret"
                $0.description = "secret"
                $0.project = inbox.id
            }
            let moved = try await stores.database.tasks.update(
                task.id, patch, by: stores.operation(by: stores.ada))
            let rows = try await stores.home.server.psql(
                "SELECT body FROM outbox WHERE body->'data'->>'seq' = '\(moved.seq)' ORDER BY type DESC",
                database: stores.home.name)
            let events = try rows.split(separator: "\n").map { try TodoEvent(JSON(parsing: String($0))) }
            #expect(events.map(\.kind) == [.taskUpdated, .taskDeleted])
            #expect(events.map(\.members) == [[stores.ada.id], [stores.ben.id]])
            #expect(events.first?.body == moved.json)
            let gone = try #require(events.last?.body)
            #expect(gone["title"] == "old" && gone["description"] == "" && gone["deletedAt"]?.string != nil)
            #expect(gone["project"] == JSON(project.id))
            #expect(gone["seq"] == JSON(moved.seq) && gone["version"] == JSON(moved.version))
        }
    }

    @Test func `who was away for longer than the bin keeps things hears of it`() async throws {
        try await Stores.with { stores in
            let task = try await stores.create("x")
            let child = try await stores.create("child") { $0.parent = task.id }
            let (_, cursor) = try await changes(stores, for: stores.ada)
            _ = try await stores.database.tasks.delete(task.id, by: stores.operation(by: stores.ada))
            try await stores.database.maintenance.purgeBin(after: .seconds(3600))
            #expect(try await stores.database.tasks.get(task.id, for: stores.ada.id).deleted != nil)
            try await stores.home.server.psql(
                "UPDATE tasks SET deleted_at = deleted_at - interval '2 hours' WHERE deleted_at IS NOT NULL",
                database: stores.home.name)
            #expect(try await stores.database.maintenance.purgeBin(after: .seconds(3600)) == 2)
            await #expect(throws: StoreError.notFound) {
                try await stores.database.tasks.get(task.id, for: stores.ada.id)
            }
            let (gone, _) = try await changes(stores, after: cursor, for: stores.ada)
            #expect(Set(gone.map(\.id)) == [task.id, child.id] && gone.allSatisfy { $0.isDeleted && $0.body == nil })
        }
    }

    /// As after a restore: what is written next has numbers that who was there before has seen.
    @Test func `a cursor that is ahead of what there is, is refused`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.viewer)
            _ = try await stores.create("x") { $0.project = project.id }
            for user in [stores.ada, stores.ben] {
                let (_, end) = try await changes(stores, for: user)
                for place in end.positions.indices {
                    var ahead = end
                    ahead.positions[place].seq += 1
                    await #expect(throws: StoreError.cursorAhead) {
                        try await stores.database.changes.page(after: ahead, limit: 3, for: user.id)
                    }
                }
            }
        }
    }

    @Test func `a text that is no cursor is refused`() {
        let owner = UUID()
        #expect(ChangeCursor("\(owner):5")?.positions.first?.seq == 5)
        for text in ["", "x", "\(owner)", "\(owner):", "\(owner):-1", "\(owner):1,", ":1", "\(owner):1:2"] {
            #expect(ChangeCursor(text) == nil, "\(text)")
        }
    }

    /// Each is 20 kB in the database and 120 kB in JSON, where control characters are escaped.
    @Test func `pages of large tasks are cut by their size, and nothing gets lost`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            let text = String(repeating: "\u{1}", count: TodoTask.Limits.description)
            for n in 0..<24 {
                _ = try await stores.create("\(n)", by: n % 2 == 0 ? stores.ada : stores.ben) {
                    $0.description = text
                    $0.project = project.id
                }
            }
            for n in 0..<12 { _ = try await stores.create("own \(n)", by: stores.ben) { $0.description = text } }
            for (user, count) in [(stores.ada, 24), (stores.ben, 36)] {
                var (cursor, titles, pages) = (ChangeCursor(), [String](), 0)
                while true {
                    let page = try await stores.database.changes.page(after: cursor, limit: 1000, for: user.id)
                    let size = page.changes.reduce(0) { $0 + ($1.body?.encoded().count ?? 0) }
                    #expect(size <= 2 << 20 && !page.changes.isEmpty, "\(size) bytes")
                    titles += page.changes.compactMap { $0.body?["title"]?.string }
                    (cursor, pages) = (page.next, pages + 1)
                    if !page.hasMore { break }
                }
                #expect(titles.count == count && Set(titles).count == count)
                #expect(pages < 10, "no more of them than it takes")
                let present = try await stores.database.changes.present(for: user.id)
                #expect(cursor == present)
            }
        }
    }

    @Test func `one that is larger than a page comes all the same`() async throws {
        try await Stores.with { stores in
            _ = try await stores.create("small")
            try await stores.home.server.psql(
                "UPDATE tasks SET description = repeat('x', 3000000)", database: stores.home.name)
            _ = try await stores.create("after it")
            let (items, _) = try await changes(stores, limit: 100, for: stores.ada)
            #expect(items.compactMap { $0.body?["title"]?.string } == ["small", "after it"])
        }
    }

    @Test func `pages of a list are cut by their size, too`() async throws {
        try await Stores.with { stores in
            let text = String(repeating: "\u{1}", count: TodoTask.Limits.description)
            for n in 0..<20 { _ = try await stores.create("\(n)") { $0.description = text } }
            let context = QueryContext(user: stores.ada.id, now: .now())
            var (cursor, titles) = (String?.none, [String]())
            repeat {
                let listing = try TaskListing(TaskQuery(parsing: ""), in: context, after: cursor, limit: 200)
                let page = try await stores.database.tasks.json(listing)
                #expect(page.tasks.count <= 2 << 20)
                titles += try JSON(parsing: page.tasks).array?.compactMap { $0["title"]?.string } ?? []
                cursor = page.next
            } while cursor != nil && titles.count < 30
            #expect(titles == (0..<20).map { "\($0)" })
        }
    }
}
