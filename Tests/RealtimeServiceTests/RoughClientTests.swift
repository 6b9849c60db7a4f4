import Concurrency
import FoundationEssentials
import NIOCore
import StructuredData
import Telemetry
import Testing
import TodoModel
import WebSocketClient

@testable import RealtimeService

/// Clients that are slow, silent, wrong or many.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RoughClientTests {
    @Test func `frames that are wrong close with the code that says so`() async throws {
        try await RunningRealtime.with { service in
            _ = service.api.person("ann")
            func code(_ body: (WebSocketClient) async throws -> Void) async throws -> WebSocketClient.Received {
                let (client, _, _) = try await service.live(token: "ann")
                try await body(client)
                let received = await client.next()
                #expect(await client.next() == .end, "and then the connection is closed")
                return received
            }
            let text = Array(#"{"type":"x"}"#.utf8)
            #expect(try await code { try await $0.send(frame: 0x81, text) } == .close(4400))
            #expect(try await code { try await $0.send(frame: 0x81, text, masked: false) } == .close(1002))
            #expect(try await code { try await $0.send(frame: 0xc1, text) } == .close(1002))
            #expect(try await code { try await $0.send(frame: 0x83, []) } == .close(1002))
            #expect(try await code { try await $0.send(frame: 0x80, text) } == .close(1002))
            #expect(try await code { try await $0.send(frame: 0x09, [1]) } == .close(1002))
            #expect(
                try await code { try await $0.send(frame: 0x89, [UInt8](repeating: 1, count: 126)) } == .close(1002))
            #expect(try await code { try await $0.send(frame: 0x82, [1]) } == .close(1003))
            #expect(try await code { try await $0.send(frame: 0x81, [0xff]) } == .close(1007))
            #expect(try await code { try await $0.send(frame: 0x81, [], length: 1 << 40) } == .close(1009))
            #expect(try await code { try await $0.send(frame: 0x81, [], length: 65537) } == .close(1009))
            #expect(try await code { try await $0.send(frame: 0x88, [0x03]) } == .close(1002))
            #expect(try await code { try await $0.send(frame: 0x88, [0x03, 0xe8]) } == .close(1000))
            #expect(try await code { try await $0.send(frame: 0x88, []) } == .close(nil))
            // At once, whatever the machine does meanwhile.
            let pongs = Array(repeatElement([0x8a, 0x80, 1, 2, 3, 4] as [UInt8], count: 60).joined())
            #expect(try await code { try await $0.send(raw: pongs) } == .close(4400))
            try await service.eventually { service.metric("realtime_connections") == 0 }
        }
    }

    @Test func `a fragmented message is one message`() async throws {
        try await RunningRealtime.with { service in
            _ = service.api.person("ann")
            let client = try await service.connect(token: "ann")
            try await client.send(frame: 0x01, Array(#"{"type":"res"#.utf8))
            try await client.send(frame: 0x89, [9])
            try await client.send(frame: 0x80, Array(#"ume","after":null}"#.utf8))
            #expect(await client.next() == .pong([9]))
            #expect(try await client.untilReady().titles == [])
        }
    }

    @Test func `random bytes end a connection and nothing else`() async throws {
        try await RunningRealtime.with { service in
            let ann = service.api.person("ann")
            let (witness, _, _) = try await service.live(token: "ann")
            try await withThrowingTaskGroup { group in
                for _ in 0..<40 {
                    group.addTask {
                        let (client, _, _) = try await service.live(token: "ann")
                        let noise = (0..<Int.random(in: 1...3000)).map { _ in UInt8.random(in: 0...255) }
                        try? await client.send(raw: noise)
                        await client.disconnect()
                    }
                }
                try await group.waitForAll()
            }
            try await service.deliver(service.api.write("still here", by: ann))
            #expect(await witness.nextTitle() == "still here")
            try await service.eventually { service.metric("realtime_connections") == 1 }
        }
    }

    @Test func `a slow reader costs little, is closed with 4408 and resumes where it was`() async throws {
        let rules = ConnectionRules(
            handshakeTime: .seconds(60), checkInterval: .hours(1000), firstCheckInterval: .hours(1000),
            stallTime: .seconds(8))
        try await RunningRealtime.with(rules: rules) { service in
            let ann = service.api.person("ann")
            let (slow, _, cursor) = try await service.live(token: "ann", receiveBuffer: 4096)
            let (quick, _, _) = try await service.live(token: "ann")
            try await slow.reads(false)
            let before = ProcessMetrics.residentBytes()
            var sent: [String] = []
            // 40 MB in all, of which a slow reader is owed no more than what the sockets and its quarter MB hold.
            for round in 0..<100 {
                var batch: [TodoEvent] = []
                for index in 0..<20 {
                    let title = "\(round) \(index) " + String(repeating: "x", count: 20_000)
                    sent.append(title)
                    batch.append(service.api.write(title, by: ann))
                }
                try await service.deliver(batch.map(\.json))
                for title in sent.suffix(20) { try #require(await quick.nextTitle() == title) }
            }
            try await service.eventually { service.metric(#"realtime_closes_total{code="4408"}"#) == 1 }
            let grown = ProcessMetrics.residentBytes() - before
            #expect(grown < 300 << 20, "the test itself keeps all titles")
            try await slow.reads(true)
            var received: [String] = []
            var last = await slow.next()
            while case .message(let json) = last {
                received.append(json.title ?? "")
                last = await slow.next()
            }
            #expect(last == .close(4408) || last == .end)
            #expect(received == Array(sent.prefix(received.count)) && received.count < sent.count)
            let resumeAt = cursor.replacing(":0", with: ":\(received.count)")
            let (_, rest, _) = try await service.live(token: "ann", after: resumeAt)
            #expect(received + rest == sent)
        }
    }

    @Test func `a client that does not read has its pings answered only as far as there is room`() async throws {
        let rules = ConnectionRules(
            handshakeTime: .seconds(60), checkInterval: .hours(1000), firstCheckInterval: .hours(1000),
            frameBurst: 1_000_000)
        try await RunningRealtime.with(rules: rules) { service in
            _ = service.api.person("ann")
            let (slow, _, _) = try await service.live(token: "ann", receiveBuffer: 4096)
            try await slow.reads(false)
            let ping: [UInt8] = [0x89, 0x80 | 125, 1, 2, 3, 4] + [UInt8](repeating: 5, count: 125)
            let count = 100_000
            for _ in 0..<100 { try await slow.send(raw: Array(repeatElement(ping, count: count / 100).joined())) }
            try await slow.reads(true)
            try await slow.send(["type": "end"])
            var pongs = 0
            while case .pong = await slow.next() { pongs += 1 }
            #expect(pongs > 0 && pongs < count)
        }
    }

    @Test func `a thousand that reconnect at once lose nothing and get nothing twice`() async throws {
        try await RunningRealtime.with { service in
            let people = (0..<100).map { service.api.person("t\($0)") }
            let friends = { (index: Int) in [people[(index + 1) % 100], people[(index + 2) % 100]] }
            func write(_ round: Int) -> [TodoEvent] {
                people.indices.map { service.api.write("\($0) \(round)", by: people[$0], for: friends($0)) }
            }
            // Ten connections of each person; each sees the person's own and what two others share.
            let first = try await connectAll(service) { index in
                try await service.live(token: "t\(index % 100)").cursor
            }
            for round in 0..<5 { _ = write(round) }
            let writing = Task {
                for round in 5..<15 {
                    try await service.deliver(write(round).map(\.json))
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            let results = try await connectAll(service) { index in
                let (client, titles, _) = try await service.live(token: "t\(index % 100)", after: first[index])
                var all = titles
                while all.count < 45 { all.append(await client.nextTitle()) }
                // Whatever came twice or does not belong here would come before the answer to a ping.
                try await client.send(frame: 0x89, [1])
                let last = await client.nextButReady()
                #expect(last == .pong([1]))
                await client.disconnect()
                return all.sorted()
            }
            try await writing.value
            for (index, titles) in results.enumerated() {
                let owners = [index % 100, (index + 99) % 100, (index + 98) % 100]
                let expected = owners.flatMap { owner in (0..<15).map { "\(owner) \($0)" } }.sorted()
                #expect(titles == expected, "connection \(index)")
            }
        }
    }

    private func connectAll<Result: Sendable>(
        _ service: RunningRealtime, _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            for index in 0..<1000 { group.addTask { (index, try await body(index)) } }
            var results: [Int: Result] = [:]
            for try await (index, result) in group { results[index] = result }
            return (0..<1000).compactMap { results[$0] }
        }
    }
}
