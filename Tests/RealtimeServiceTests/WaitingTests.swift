import HTTPTypes
import NIOCore
import ServiceLifecycle
import StructuredData
import Testing
import WebSocketClient

@testable import RealtimeService

/// What takes its time, by the rules: it waits beside what keeps the processors busy.
@Suite(.timeLimit(.minutes(10))) struct WaitingTests {
    @Test func `a handshake that dribbles is cut off`() async throws {
        try await RunningRealtime.with(configure: { $0.requestTime = .milliseconds(500) }) { (service) async throws in
            let start = ContinuousClock.now
            #expect(try await WebSocketClient.dribble(service.port))
            #expect(start.duration(to: .now) >= .milliseconds(500), "it had its time, and was not refused")
        }
    }

    @Test func `a silent peer is dropped, one that answers pings stays`() async throws {
        let rules = ConnectionRules(
            handshakeTime: .seconds(60), pingInterval: .milliseconds(400), pongTime: .seconds(10))
        try await RunningRealtime.with(rules: rules) { service in
            _ = service.api.person("ann")
            let (silent, _, _) = try await service.live(token: "ann")
            let (alive, _, _) = try await service.live(token: "ann")
            try await silent.reads(false)
            try await service.eventually { service.metric("realtime_connections") == 1 }
            // More than the silent one had time for.
            for _ in 0..<30 { #expect(await alive.nextIncludingPings() == .ping) }
            #expect(service.metric(#"realtime_closes_total{code="lost"}"#) == 1)
        }
    }

    @Test func `a drain says when to come back and closes each at another time`() async throws {
        try await RunningRealtime.with(["DRAIN_SECONDS": "30"]) { service in
            _ = service.api.person("ann")
            var clients: [WebSocketClient] = []
            for _ in 0..<20 { clients.append(try await service.live(token: "ann").client) }
            let start = ContinuousClock.now
            await service.group.triggerGracefulShutdown()
            try await service.eventually { try await service.send(.get, "/readyz").status == 503 }
            let refused = await #expect(throws: WebSocketClient.Refused.self) {
                try await service.connect(token: "ann")
            }
            #expect(refused?.status == 503)
            var times: [(hint: Int, closed: Duration)] = []
            try await withThrowingTaskGroup { group in
                for client in clients {
                    group.addTask {
                        guard case .message(let json) = await client.next() else { return (-1, Duration.zero) }
                        #expect(json["type"] == "reconnect")
                        #expect(await client.next() == .close(1012))
                        return (json["afterMs"]?.int ?? -1, start.duration(to: .now))
                    }
                }
                for try await time in group { times.append(time) }
            }
            #expect(times.allSatisfy { (0...30_000).contains($0.hint) && $0.closed > .milliseconds($0.hint - 100) })
            #expect(Set(times.map { $0.hint / 100 }).count > 5, "spread out")
        }
    }
}
