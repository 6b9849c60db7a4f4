import FoundationEssentials
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

/// A project that was deleted comes back as it was.
@Suite(.timeLimit(.minutes(10))) struct ProjectRestoreTests {
    @Test func `a project comes back with the tasks that went with it, and with no others`() async throws {
        try await Stores.with { stores in
            let (projects, tasks, ada) = (stores.database.projects, stores.database.tasks, stores.ada)
            let project = try await projects.create(.init(name: "Garden"), by: ada.id)
            let parent = try await stores.create("parent") { $0.project = project.id }
            let child = try await stores.create("child") { $0.parent = parent.id }
            for (title, isThrownAway) in [("thrown away before", true), ("taken out by itself", false)] {
                let task = try await stores.create(title) { $0.project = project.id }
                if isThrownAway { _ = try await tasks.delete(task.id, by: stores.operation(by: ada)) }
            }
            let deleted = try await projects.delete(project.id, by: ada.id)
            #expect(try await projects.all(inBin: true, for: ada.id) == [deleted])
            let taken = try #require(try await bin(stores).first { $0.title == "taken out by itself" })
            _ = try await tasks.restore(taken.id, by: stores.operation(by: ada))

            let restored = try await projects.restore(project.id, by: ada.id)
            #expect(restored.deleted == nil && restored.name == "Garden" && restored.version == deleted.version + 1)
            #expect(try await projects.all(for: ada.id).map(\.id).contains(project.id))
            #expect(try await projects.all(inBin: true, for: ada.id).isEmpty)
            #expect(try await bin(stores).map(\.title) == ["thrown away before"])
            let below = try await tasks.get(child.id, for: ada.id)
            #expect(below.deleted == nil && below.parent == parent.id && below.project == project.id)
            #expect(try await tasks.get(taken.id, for: ada.id).project != project.id)
            #expect(try await stores.events().last == "project.restored")

            // Whoever asks twice gets what there is.
            #expect(try await projects.restore(project.id, by: ada.id) == restored)
            #expect(try await stores.events().count { $0 == "project.restored" } == 1)
            // And it can go once more.
            _ = try await projects.delete(project.id, by: ada.id)
            _ = try await projects.restore(project.id, by: ada.id)
            #expect(try await bin(stores).map(\.title) == ["thrown away before"])
        }
    }

    private func bin(_ stores: Stores) async throws -> [TodoTask] {
        let context = QueryContext(user: stores.ada.id, now: .now())
        let listing = try TaskListing(TaskQuery(parsing: "is:deleted"), in: context, limit: 100)
        return try await stores.database.tasks.page(listing).tasks
    }

    @Test func `its members have it again, and hear of it in their changes`() async throws {
        try await Stores.with { stores in
            let (projects, changes) = (stores.database.projects, stores.database.changes)
            let project = try await stores.shared(.editor)
            let task = try await stores.create("task") { $0.project = project.id }
            _ = try await projects.delete(project.id, by: stores.ada.id)
            let cursor = try await changes.present(for: stores.ben.id)
            #expect(try await stores.titles("", for: stores.ben).isEmpty)
            _ = try await projects.restore(project.id, by: stores.ada.id)
            let page = try await changes.page(after: cursor, limit: 10, for: stores.ben.id)
            #expect(page.changes.map(\.id) == [task.id, project.id] && page.changes.allSatisfy { !$0.isDeleted })
            #expect(page.changes.last?.body?["role"] == "editor")
            #expect(try await changes.present(for: stores.ben.id).positions.last?.seq == page.changes.last?.seq)
            _ = try await stores.create("theirs", by: stores.ben) { $0.project = project.id }
            #expect(try await stores.titles("", for: stores.ben) == ["task", "theirs"])
        }
    }

    @Test func `only its owner restores a project, and at the version that is meant`() async throws {
        try await Stores.with { stores in
            let (projects, ada) = (stores.database.projects, stores.ada)
            let project = try await stores.shared(.editor)
            let deleted = try await projects.delete(project.id, by: ada.id)
            await #expect(throws: StoreError.forbidden) { try await projects.restore(project.id, by: stores.ben.id) }
            await #expect(throws: StoreError.notFound) {
                try await projects.restore(project.id, by: stores.database.makeID())
            }
            await #expect(throws: StoreError.versionMismatch(current: deleted.version)) {
                try await projects.restore(project.id, ifVersion: [deleted.version - 1], by: ada.id)
            }
            #expect(try await projects.all(inBin: true, for: ada.id) == [deleted])
            _ = try await projects.restore(project.id, ifVersion: [deleted.version], by: ada.id)
        }
    }

    @Test func `what was purged does not come back`() async throws {
        try await Stores.with { stores in
            let project = try await stores.database.projects.create(.init(name: "Garden"), by: stores.ada.id)
            _ = try await stores.create("task") { $0.project = project.id }
            _ = try await stores.database.projects.delete(project.id, by: stores.ada.id)
            #expect(try await stores.database.maintenance.purgeBin(after: .zero) == 2)
            await #expect(throws: StoreError.notFound) {
                try await stores.database.projects.restore(project.id, by: stores.ada.id)
            }
        }
    }

    @Test func `who was erased meanwhile is no member any more`() async throws {
        try await Stores.with { stores in
            let projects = stores.database.projects
            let project = try await stores.shared(.editor)
            _ = try await projects.delete(project.id, by: stores.ada.id)
            try await stores.database.accounts.erase(stores.ben.id)
            _ = try await projects.restore(project.id, by: stores.ada.id)
            #expect(
                try await stores.home.server.psql(
                    "SELECT editors || viewers FROM projects WHERE id = '\(project.id)'", database: stores.home.name)
                    == "{}")
        }
    }

    @Test func `the reminders of its tasks are planned anew`() async throws {
        try await Reminding.with { all in
            let (projects, ada) = (all.database.projects, all.stores.ada)
            let project = try await projects.create(.init(name: "Garden"), by: ada.id)
            let task = try await all.task("water", due: "2030-06-01 18:00") { $0.project = project.id }
            try await all.remind(task)
            try await all.plan()
            let planned = try await all.list(.pending, of: ada)
            #expect(planned.count == 1)
            _ = try await projects.delete(project.id, by: ada.id)
            try await all.plan()
            #expect(try await all.list(.pending, of: ada).isEmpty)
            _ = try await projects.restore(project.id, by: ada.id)
            try await all.plan()
            #expect(try await all.list(.pending, of: ada).map(\.id) == planned.map(\.id))
        }
    }
}
