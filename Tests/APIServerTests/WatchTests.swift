import APIServer
import HTTPTypes
import StructuredData
import Testing

struct WatchTests {
    private static let watch = "\(TestServer.configMaps)?watch=true&timeoutSeconds=30"

    @Test("a watch starts with what is there, then tells each change")
    func events() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        let watch = try #require(await server.watch(Self.watch))
        await server.configMap("b")
        await server.send(.patch, "\(TestServer.configMaps)/a", ["data": ["x": "1"]], type: TestServer.merge)
        await server.send(.delete, "\(TestServer.configMaps)/b")
        #expect(try await watch.summaries(4) == ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b"])
    }

    @Test("a watch for longer than a clock can count goes on like any other")
    func endless() async throws {
        let server = try await TestServer()
        let target = "\(TestServer.configMaps)?watch=true&timeoutSeconds=\(Int.max)"
        let watch = try #require(await server.watch(target))
        for number in 0..<20 {
            await server.configMap("c\(number)")
            #expect(try await watch.summaries(1) == ["ADDED c\(number)"])
        }
    }

    @Test("from a revision only later changes come; the last event carries the revision of the removal")
    func fromRevision() async throws {
        let server = try await TestServer()
        await server.configMap("a", ["x": "1"])
        let list = await server.send(.get, TestServer.configMaps)
        let removed = await server.send(.delete, "\(TestServer.configMaps)/a")
        #expect(removed.code == 200)
        let after = await server.send(.get, TestServer.configMaps)
        let watch = try #require(await server.watch("\(Self.watch)&resourceVersion=\(list.revision)"))
        let event = try #require(try await watch.next())
        #expect(event["type"] == "DELETED")
        #expect(event.at("object", "data", "x") == "1")
        #expect(event.at("object", "metadata", "resourceVersion") == .string(after.revision))
    }

    @Test("an object that stops being selected is deleted for the watch, with its old state")
    func selection() async throws {
        let server = try await TestServer()
        await server.configMap("a", ["x": "old"], labels: ["w": "y"])
        let watch = try #require(await server.watch("\(Self.watch)&labelSelector=w%3Dy"))
        await server.configMap("other", labels: ["w": "n"])
        await server.send(
            .patch, "\(TestServer.configMaps)/a", ["metadata": ["labels": ["w": "n"]], "data": ["x": "new"]],
            type: TestServer.merge)
        await server.send(
            .patch, "\(TestServer.configMaps)/a", ["metadata": ["labels": ["w": "y"]]], type: TestServer.merge)
        #expect(try await watch.next()?["type"] == "ADDED")
        let deleted = try #require(try await watch.next())
        #expect(deleted["type"] == "DELETED")
        #expect(deleted.at("object", "data", "x") == "old")
        #expect(deleted.at("object", "metadata", "labels") == ["w": "y"])
        let added = try #require(try await watch.next())
        #expect(added["type"] == "ADDED")
        #expect(added.at("object", "data", "x") == "new")
    }

    @Test("sendInitialEvents ends the initial state with an annotated bookmark")
    func initialEvents() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        await server.configMap("b")
        let query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        let watch = try #require(await server.watch(Self.watch + query))
        #expect(try await watch.summaries(2) == ["ADDED a", "ADDED b"])
        let bookmark = try #require(try await watch.next())
        #expect(bookmark["type"] == "BOOKMARK")
        #expect(bookmark.at("object", "metadata", "annotations") == ["k8s.io/initial-events-end": "true"])
        #expect(bookmark.at("object", "kind") == "ConfigMap")
        let list = await server.send(.get, TestServer.configMaps)
        #expect(bookmark.at("object", "metadata", "resourceVersion") == .string(list.revision))
        let refused = await server.watch("\(Self.watch)&sendInitialEvents=true")
        #expect(refused == nil)
    }

    @Test("bookmarks tell the revision that the watch has reached, and the watch ends at its timeout")
    func bookmarksAndTimeout() async throws {
        let server = try await TestServer { $0.bookmarkInterval = .milliseconds(20) }
        let list = await server.send(.get, TestServer.configMaps)
        let start = try #require(Int(list.revision))
        let bookmarks = "allowWatchBookmarks=true&resourceVersion=\(start)"
        let watch = try #require(await server.watch("\(Self.watch)&\(bookmarks)"))
        await server.send(.post, "/api/v1/namespaces", ["metadata": ["name": "elsewhere"]])
        var last = 0
        while last <= start {
            let event = try #require(try await watch.next())
            #expect(event["type"] == "BOOKMARK")
            last = event.at("object", "metadata", "resourceVersion")?.string.flatMap { Int($0) } ?? 0
        }
        let short = try #require(
            await server.watch("\(TestServer.configMaps)?watch=true&timeoutSeconds=1&\(bookmarks)"))
        while let event = try await short.next() { #expect(event["type"] == "BOOKMARK") }
    }

    @Test("a watch from a forgotten revision is told 410 as an event, and ends")
    func tooOld() async throws {
        let server = try await TestServer()
        let list = await server.send(.get, TestServer.configMaps)
        await server.configMap("a")
        server.api.forgetHistory()
        let watch = try #require(await server.watch("\(Self.watch)&resourceVersion=\(list.revision)"))
        let event = try #require(try await watch.next())
        #expect(event["type"] == "ERROR")
        #expect(event.at("object", "code") == 410)
        #expect(event.at("object", "reason") == "Expired")
        #expect(event.at("object", "message")?.string?.hasPrefix("too old resource version: ") == true)
        #expect(try await watch.next() == nil)
    }

    @Test("a table watch sends the columns once")
    func tables() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        let watch = try #require(await server.watch(Self.watch, accept: TestServer.table))
        await server.configMap("b")
        let first = try #require(try await watch.next())
        #expect(first.at("object", "kind") == "Table")
        #expect(first.at("object", "columnDefinitions")?.array?.isEmpty == false)
        let second = try #require(try await watch.next())
        #expect(second.at("object", "columnDefinitions")?.array?.isEmpty ?? true)
        #expect(second.at("object", "rows")?[0]?["cells"]?[0] == "b")
    }

    @Test("one object is watched by name")
    func byName() async throws {
        let server = try await TestServer()
        await server.configMap("a")
        await server.configMap("b")
        let watch = try #require(await server.watch("\(Self.watch)&fieldSelector=metadata.name%3Db"))
        await server.send(.delete, "\(TestServer.configMaps)/a")
        await server.send(.delete, "\(TestServer.configMaps)/b")
        #expect(try await watch.summaries(2) == ["ADDED b", "DELETED b"])
    }

    @Test("stopping the server ends the watches")
    func stop() async throws {
        let server = try await TestServer()
        let watch = try #require(await server.watch(Self.watch))
        await server.api.stop()
        #expect(try await watch.next() == nil)
    }
}
