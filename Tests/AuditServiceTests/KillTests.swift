import ChildProcess
import Concurrency
import Foundation
import HTTPTransport
import LocalPostgres
import PostgresServer
import StructuredData
import Testing

@testable import AuditService

/// `todo serve audit` as a process of its own, killed while it writes.
@Suite(.timeLimit(.minutes(10))) struct KillTests {
    private static var todo: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "todo").path
    }

    private func start(_ database: AuditDatabase, port: Int) async throws -> ChildProcess {
        let environment = RunningAudit.environment(
            database, ["PORT": "\(port)", "TODO_API_URL": "http://127.0.0.1:1", "LOG_LEVEL": "critical"])
        var specification = ChildProcess.Specification(
            path: Self.todo, arguments: ["serve", "audit"],
            environment: ProcessInfo.processInfo.environment.merging(environment) { $1 })
        specification.standardOutput = .null
        specification.standardError = .null
        specification.signalWhenParentEnds = SIGKILL
        return try await ChildProcess.start(specification)
    }

    /// Waits until the service is ready; asking fails while nobody listens.
    private func awaitReady(_ service: RunningAudit) async throws {
        for _ in 0..<6000 {
            if let answer = try? await service.get("/readyz"), answer.status == 200 { return }
            try await Task.sleep(for: .milliseconds(20))  // another process tells nobody when it is so far
        }
        Issue.record("the service never became ready")
    }

    @Test func `killed while it writes, it has every event once when all have come again`() async throws {
        let database = try await AuditDatabase.make()
        var events = Events()
        let users = (0..<10).map { _ in events.id() }
        let deliveries = (0..<120).map { _ in (0..<20).map { events.task(of: users[$0 % users.count]) } }
        let done = Lock<Set<Int>>([])
        for attempt in 1...5 {
            let service = RunningAudit(port: try LoopbackPort.free(), transport: CurlTransport())
            let process = try await start(database, port: service.port)
            try await awaitReady(service)
            await withTaskGroup(of: Void.self) { group in
                for consumer in 0..<4 {
                    group.addTask {
                        for place in stride(from: consumer, to: deliveries.count, by: 4) {
                            // What is not answered, or not with SUCCESS, the sidecar delivers again.
                            for _ in 0..<20 where !done.withLock({ $0.contains(place) }) {
                                guard let answer = try? await service.deliver(deliveries[place]) else { return }
                                let statuses = answer.json["statuses"]?.array ?? []
                                let count = done.withLock { done in
                                    if statuses.count == 20, statuses.allSatisfy({ $0["status"] == "SUCCESS" }) {
                                        done.insert(place)
                                    }
                                    return done.count
                                }
                                if attempt < 5, count >= attempt * 20 { process.kill() }
                            }
                        }
                    }
                }
            }
            service.transport.close()
            process.kill()
            _ = await process.exit
        }
        #expect(done.withLock { $0.count } == deliveries.count)
        let rows = try await database.withLog { try await $0.verified().rows }
        #expect(rows == 2400)
        #expect(try await database.psql("SELECT count(DISTINCT event_id) FROM audit.entries") == "2400")
    }
}
