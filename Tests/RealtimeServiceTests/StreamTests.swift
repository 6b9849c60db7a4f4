import Concurrency
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import ServiceLifecycle
import NIOCore
import StructuredData
import Testing
import TodoModel
import WebSocketClient

@testable import RealtimeService

@Suite(.timeLimit(.minutes(10))) struct StreamTests {
    @Test func `changes come first, then ready, then events to those who may see them`() async throws {
        try await RunningRealtime.with { service in
            let (ann, bob) = (service.api.person("ann"), service.api.person("bob"))
            _ = service.api.person("eve")
            service.api.write("before", by: ann)
            let (a, titles, cursor) = try await service.live(token: "ann")
            #expect(titles == ["before"] && cursor == "\(ann.text):1")
            #expect(a.head.contains("todo.v1"))
            let (b, _, _) = try await service.live(token: "bob")
            let (e, _, _) = try await service.live(token: "eve")
            try await service.deliver(service.api.write("own", by: ann))
            #expect(await a.nextTitle() == "own")
            try await service.deliver(service.api.write("of Bob", by: bob))
            #expect(await b.nextTitle() == "of Bob", "and not what is Ann's")
            // Eve has heard nothing of it all: what she gets first is her own.
            try await e.send(frame: 0x89, [1, 2])
            #expect(await e.next() == .pong([1, 2]))
        }
    }

    @Test func `a change with two events is told to those of each, once`() async throws {
        try await RunningRealtime.with { service in
            let (ann, bob, cleo) = (
                service.api.person("ann"), service.api.person("bob"), service.api.person("cleo")
            )
            service.api.write("shared", by: ann, for: [bob, cleo])
            let (a, _, _) = try await service.live(token: "ann")
            let (b, _, _) = try await service.live(token: "bob")
            let (c, _, _) = try await service.live(token: "cleo")
            let moved = service.api.write("moved", by: ann, for: [bob])
            let gone = TodoEvent.sample(
                ann, moved.seq, kind: .taskDeleted, members: [cleo], body: ["title": "gone"])
            try await service.deliver(moved, gone)
            try await service.deliver(moved, gone)
            try await service.deliver(service.api.write("next", by: ann, for: [bob, cleo]))
            for (client, titles) in [(a, ["moved", "next"]), (b, ["moved", "next"]), (c, ["gone", "next"])] {
                for title in titles { #expect(await client.nextTitle() == title) }
            }
        }
    }

    @Test func `an event is the CloudEvent without who else may see it`() async throws {
        try await RunningRealtime.with { service in
            let ann = service.api.person("ann")
            let (client, _, _) = try await service.live(token: "ann")
            let event = service.api.write("x", by: ann)
            var delivered = event.json
            delivered["traceparent"] = "00-1-2-3"
            delivered["topic"] = "task-events"
            let answer = try await service.deliver([delivered])
            #expect(answer == ["statuses": [["entryId": "0", "status": "SUCCESS"]]])
            guard case .message(let json) = await client.next() else { return #expect(Bool(false)) }
            var expected = event.json
            expected["data"]?["members"] = Optional.none
            #expect(json == ["type": "event", "event": expected])
        }
    }

    @Test func `who it is may be said by subprotocol, header, cookie or first message`() async throws {
        try await RunningRealtime.with { service in
            _ = service.api.person("ann")
            let port = service.port
            let ways: [[String]] = [
                ["Sec-WebSocket-Protocol: todo.v1,bearer.ann"], ["Authorization: Bearer ann"],
                ["Cookie: todo_session=ann", "Origin: http://127.0.0.1:\(port)"],
            ]
            for headers in ways {
                let client = try await WebSocketClient.connect(port, headers: headers)
                try await client.resume(after: nil)
                #expect(try await client.untilReady().cursor.isEmpty == false, "\(headers)")
            }
            let client = try await WebSocketClient.connect(port)
            try await client.send(["type": "auth", "token": "ann"])
            try await client.resume(after: nil)
            #expect(try await client.untilReady().cursor.isEmpty == false)
        }
    }

    @Test func `a token that is not good closes with 4401, and so does none at all`() async throws {
        try await RunningRealtime.with(rules: ConnectionRules(handshakeTime: .milliseconds(300))) { service in
            let wrong = try await service.connect(token: "wrong")
            #expect(await wrong.next() == .close(4401))
            #expect(await wrong.next() == .end)
            let silent = try await WebSocketClient.connect(service.port)
            #expect(await silent.next() == .close(4401))
            _ = service.api.person("ann")
            let idle = try await service.connect(token: "ann")
            #expect(await idle.next() == .close(4400))
            try await service.eventually { service.metric(#"realtime_closes_total{code="4401"}"#) == 2 }
        }
    }

    @Test func `a cookie from a foreign page is refused, and so is what is no handshake`() async throws {
        try await RunningRealtime.with { service async throws in
            func status(_ headers: [String], path: String = "/v1/stream") async -> Int {
                do {
                    _ = try await WebSocketClient.connect(service.port, headers: headers, path: path)
                    return 101
                } catch let refused as WebSocketClient.Refused {
                    return refused.status
                } catch { return 0 }
            }
            _ = service.api.person("ann")
            #expect(await status(["Cookie: todo_session=ann", "Origin: https://evil.example"]) == 403)
            #expect(await status(["Cookie: todo_session=ann"]) == 403)
            #expect(await status(["Sec-WebSocket-Protocol: chat"]) == 400)
            #expect(await status(["Sec-WebSocket-Version: 12"]) == 400)
            #expect(await status(["Upgrade: h2c"]) == 400)
            #expect(await status([], path: "/v1/other") == 404)
            #expect(await status([], path: "/v1/stream?x=y") == 101)
            #expect(try await service.send(.get, "/v1/stream").status == 426)
            #expect(try await service.send(.get, "/livez").status == 200)
            #expect(try await service.send(.get, "/readyz").status == 200)
        }
    }

    @Test func `a service listens on every address of its machine, IPv4 and IPv6`() async throws {
        try await RunningRealtime.with(["TODO_BIND_ADDRESS": ""]) { service in
            let addresses = (try? String(contentsOfFile: "/proc/net/if_inet6", encoding: .utf8)) ?? ""
            let hasIPv6 = addresses.contains("00000000000000000000000000000001 ")
            for host in hasIPv6 ? ["127.0.0.1", "[::1]"] : ["127.0.0.1"] {
                let answer = try await service.transport.send(
                    ClientRequest(url: "http://\(host):\(service.port)/livez", totalTimeout: .seconds(30)))
                #expect(answer.status == .ok)
            }
        }
    }

    @Test func `a connection on which the stream was refused is used for nothing else`() async throws {
        try await RunningRealtime.with { service in
            let (none, key): (HTTPFields, HTTPFields) = ([:], [.secWebSocketKey: "AAAAAAAAAAAAAAAAAAAAAA=="])
            for (headers, status, options) in [(none, 426, "upgrade, close"), (key, 400, "close")] {
                let answer = try await service.transport.send(
                    ClientRequest(
                        url: "http://127.0.0.1:\(service.port)/v1/stream", headers: headers,
                        totalTimeout: .seconds(30)))
                #expect(answer.status.code == status && answer.headers[.connection] == options)
            }
        }
    }

    @Test func `who resumes gets what was missed, once, while more happens`() async throws {
        try await RunningRealtime.with { service in
            let ann = service.api.person("ann")
            for index in 0..<3 { service.api.write("old \(index)", by: ann) }
            let (first, _, cursor) = try await service.live(token: "ann")
            await first.disconnect()
            for index in 0..<450 { service.api.write("missed \(index)", by: ann) }
            service.api.state.withLock { $0.isHeld = true }
            let client = try await service.connect(token: "ann")
            try await client.resume(after: cursor)
            try await service.eventually { service.api.state.withLock { $0.held.count == 1 } }
            // Delivered while the changes are under way: two that will be in them, and then again one of those.
            let events = (0..<2).map { service.api.write("meanwhile \($0)", by: ann) }
            try await service.deliver(events[0], events[1])
            try await service.deliver(events[1])
            service.api.release()
            let (titles, _) = try await client.untilReady()
            #expect(titles == (0..<450).map { "missed \($0)" } + ["meanwhile 0", "meanwhile 1"])
            try await service.deliver(service.api.write("after", by: ann))
            #expect(await client.nextTitle() == "after")
        }
    }

    @Test func `who has seen more than there is, is told so`() async throws {
        try await RunningRealtime.with { service in
            let ann = service.api.person("ann")
            service.api.write("restored", by: ann)
            let client = try await service.connect(token: "ann")
            try await client.resume(after: "\(ann.text):2")
            #expect(await client.next() == .close(4410))
        }
    }

    @Test func `an event that was lost is fetched when the next one comes`() async throws {
        try await RunningRealtime.with { service in
            let (ann, bob) = (service.api.person("ann"), service.api.person("bob"))
            service.api.write("shared", by: ann, for: [bob])
            let (client, titles, _) = try await service.live(token: "bob")
            #expect(titles == ["shared"])
            // One that Bob may not see is no gap for him.
            try await service.deliver(service.api.write("private", by: ann))
            try await service.deliver(service.api.write("visible", by: ann, for: [bob]))
            #expect(await client.nextTitle() == "visible")
            #expect(service.metric(#"realtime_catch_ups_total{cause="gap"}"#) == nil)
            service.api.write("lost", by: ann, for: [bob])
            try await service.deliver(service.api.write("next", by: ann, for: [bob]))
            #expect(try await client.untilReady().titles == ["lost", "next"])
            try await service.deliver(service.api.write("last", by: ann, for: [bob]))
            #expect(await client.nextTitle() == "last")
            #expect(service.metric(#"realtime_catch_ups_total{cause="gap"}"#) == 1)
        }
    }

    @Test func `an event that was lost and has no successor is found by the check`() async throws {
        let rules = ConnectionRules(handshakeTime: .seconds(60), checkInterval: .milliseconds(200))
        try await RunningRealtime.with(rules: rules) { service in
            let ann = service.api.person("ann")
            let (client, _, _) = try await service.live(token: "ann")
            service.api.write("lost", by: ann)
            #expect(try await client.untilReady().titles == ["lost"])
        }
    }

    @Test func `what a young process was not delivered is found by its early checks`() async throws {
        let rules = ConnectionRules(handshakeTime: .seconds(60), checkInterval: .hours(1000))
        try await RunningRealtime.with(rules: rules) { service in
            let ann = service.api.person("ann")
            var clients: [WebSocketClient] = []
            for _ in 0..<10 { clients.append(try await service.live(token: "ann").client) }
            service.api.write("missed", by: ann)
            for client in clients { #expect(try await client.untilReady().titles == ["missed"]) }
        }
    }

    @Test func `what is shared with somebody comes whole`() async throws {
        try await RunningRealtime.with { service in
            let (ann, bob) = (service.api.person("ann"), service.api.person("bob"))
            let (client, _, _) = try await service.live(token: "bob")
            service.api.write("from before", by: ann, for: [bob])
            let event = service.api.write("the project", by: ann, for: [bob], kind: .projectShared)
            try await service.deliver(event)
            #expect(try await client.untilReady().titles == ["from before", "the project"])
        }
    }

    @Test func `a token that was revoked closes the connection when it is checked`() async throws {
        let rules = ConnectionRules(handshakeTime: .seconds(60), checkInterval: .milliseconds(200))
        try await RunningRealtime.with(rules: rules) { service in
            _ = service.api.person("ann")
            let (client, _, _) = try await service.live(token: "ann")
            service.api.state.withLock { $0.isDown = true }
            try await service.eventually { service.api.state.withLock { $0.requests > 4 } }
            service.api.state.withLock { state in
                state.isDown = false
                state.people = [:]
            }
            #expect(await client.next() == .close(4401))
        }
    }

    @Test func `a session that ends closes its connections at once, and no others`() async throws {
        try await RunningRealtime.with { service in
            let ann = service.api.person("ann")
            service.api.state.withLock { $0.people["phone"] = ann }
            let (ended, _, _) = try await service.live(token: "ann")
            let (phone, _, _) = try await service.live(token: "phone")
            service.api.state.withLock { _ = $0.revoked.insert("ann") }
            let event = AccountEvent(id: UUID(), kind: .signedOut, user: ann, time: .now())
            let answer = try await service.deliver([event.json, ["type": "x"]], to: AccountEvent.topic)
            #expect(answer["statuses"]?.array?.map { $0["status"]?.string } == ["SUCCESS", "SUCCESS"])
            #expect(await ended.next() == .close(4401))
            try await service.deliver(service.api.write("after", by: ann))
            #expect(await phone.nextTitle() == "after")
        }
    }

    @Test func `an API that stays away sends clients off, to come back`() async throws {
        try await RunningRealtime.with { service in
            _ = service.api.person("ann")
            service.api.state.withLock { $0.isDown = true }
            let client = try await service.connect(token: "ann")
            #expect(await client.next() == .close(1013))
        }
    }

    @Test func `connections are limited, for each person and in all`() async throws {
        try await RunningRealtime.with(["MAX_CONNECTIONS": "3", "MAX_CONNECTIONS_PER_USER": "2"]) { service in
            _ = service.api.person("ann")
            _ = service.api.person("bob")
            let (first, _, _) = try await service.live(token: "ann")
            let (_, _, _) = try await service.live(token: "ann")
            let third = try await service.connect(token: "ann")
            #expect(await third.next() == .close(4409))
            #expect(await third.next() == .end)
            try await service.eventually { service.metric("realtime_connections") == 2 }
            let (_, _, _) = try await service.live(token: "bob")
            let refused = await #expect(throws: WebSocketClient.Refused.self) {
                try await service.connect(token: "bob")
            }
            #expect(refused?.status == 503)
            await first.disconnect()
            try await service.eventually { service.metric("realtime_connections") == 2 }
            let (again, _, _) = try await service.live(token: "ann")
            await again.disconnect()
        }
    }

    @Test func `only the sidecar may bring events, and what cannot be read does not stop the others`() async throws {
        try await RunningRealtime.with { service in
            let ann = service.api.person("ann")
            let (client, _, _) = try await service.live(token: "ann")
            let forged = try await service.send(.post, "/events/task-events", TodoEvent.sample(ann, 1).json, token: "x")
            #expect(forged.status == 401)
            let answer = try await service.deliver([
                ["type": "dev.todo-operator.task.created"], service.api.write("good", by: ann).json,
            ])
            #expect(answer["statuses"]?.array?.map { $0["status"]?.string } == ["DROP", "SUCCESS"])
            #expect(await client.nextTitle() == "good")
        }
    }

    @Test func `a reminder goes to all connections of its person, to nobody else, and once`() async throws {
        try await RunningRealtime.with { service in
            let (ann, bob) = (service.api.person("ann"), service.api.person("bob"))
            let (first, _, _) = try await service.live(token: "ann")
            let (second, _, _) = try await service.live(token: "ann")
            let (other, _, _) = try await service.live(token: "bob")
            let event: JSON = [
                "id": .string(UUID().text), "type": "dev.todo-operator.reminder.fired",
                "data": ["user": .string(ann.text), "members": [.string(ann.text)], "task": ["title": "water"]],
            ]
            let answer = try await service.deliver([event, ["type": "x"], event], to: "reminder-events")
            #expect(answer["statuses"]?.array?.map { $0["status"]?.string } == ["SUCCESS", "DROP", "SUCCESS"])
            for client in [first, second] {
                guard case .message(let json) = await client.next() else { return #expect(Bool(false)) }
                #expect(json["type"] == "event" && json["event"]?["type"] == "dev.todo-operator.reminder.fired")
                #expect(json["event"]?["data"]?["members"] == nil)
            }
            try await service.deliver(service.api.write("own", by: bob))
            #expect(await other.nextTitle() == "own", "and not what is Ann's")
            try await service.deliver(service.api.write("after", by: ann))
            #expect(await first.nextTitle() == "after", "the reminder came once, and changed nothing of the stream")
        }
    }
}
