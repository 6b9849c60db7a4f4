import Foundation
import LocalPostgres
import Postgres
import Testing

@Suite(.timeLimit(.minutes(3))) struct LocalPostgresTests {
    @Test func whatWasCommittedOutlivesAKillAndARestart() async throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "local-postgres-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: parent.path)
        defer { try? FileManager.default.removeItem(at: parent) }
        let folder = parent.appending(path: "postgres").path

        let first = try await LocalPostgres(folder: folder)
        try await first.start()
        let writer = try await PostgresConnection.connect(PostgresConfiguration(first.database("kept")))
        try await writer.execute(script: "CREATE TABLE kept (n int8)")
        try await writer.execute(script: "INSERT INTO kept VALUES (42)")
        await first.kill()
        try await first.start()
        await first.stop()

        let second = try await LocalPostgres(folder: folder)
        #expect(second.port == first.port)
        try await second.start()
        let reader = try await PostgresConnection.connect(PostgresConfiguration(second.database("kept")))
        let rows = try await reader.query("SELECT n FROM kept")
        let kept = try rows.map { try $0.decode(Int64.self) }
        #expect(kept == [42])
        await reader.close()
        await second.stop()
        let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/password")[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func aServerThatIsKilledIsStartedAgain() async throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "local-postgres-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: parent.path)
        defer { try? FileManager.default.removeItem(at: parent) }
        let folder = parent.appending(path: "postgres").path
        let server = try await LocalPostgres(folder: folder)
        try await server.start()
        let uri = try await server.database("kept")
        for _ in 0..<3 {
            let file = try String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)
            let killed = try #require(file.split(separator: "\n").first.flatMap { Int32($0) })
            kill(killed, SIGKILL)
            var answered = false
            while !answered {
                if let connection = try? await PostgresConnection.connect(PostgresConfiguration(uri)) {
                    answered = (try? await connection.ping()) != nil
                    await connection.close()
                }
                let now = (try? String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)) ?? ""
                if now.hasPrefix("\(killed)\n") { answered = false }
                await Task.yield()
            }
        }
        await server.stop()
    }

    @Test func aWrongPasswordIsRefused() async throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "local-postgres-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: parent.path)
        defer { try? FileManager.default.removeItem(at: parent) }
        let server = try await LocalPostgres(folder: parent.appending(path: "postgres").path)
        try await server.start()
        await #expect(throws: PostgresError.self) {
            try await PostgresConnection.connect(
                PostgresConfiguration("postgresql://todo:wrong@127.0.0.1:\(server.port)/postgres?sslmode=disable"))
        }
        await server.stop()
    }
}
