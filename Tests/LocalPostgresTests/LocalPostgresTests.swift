import Foundation
import LocalPostgres
import Postgres
import Testing

/// A folder for one test, which every user can enter and which goes with the value.
final class TemporaryFolder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "local-postgres-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appending(path: name).path }
}

@Suite(.timeLimit(.minutes(10))) struct LocalPostgresTests {
    @Test func whatWasCommittedOutlivesAKillAndARestart() async throws {
        let parent = try TemporaryFolder()
        let folder = parent.path("postgres")
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
        let parent = try TemporaryFolder()
        let folder = parent.path("postgres")
        let server = try await LocalPostgres(folder: folder)
        try await server.start()
        let uri = try await server.database("kept")
        for _ in 0..<3 {
            let killed = try await Self.runningPostmaster(folder)
            kill(killed, SIGKILL)
            var answered = false
            while !answered {
                if let connection = try? await PostgresConnection.connect(PostgresConfiguration(uri)) {
                    answered = (try? await connection.ping()) != nil
                    await connection.close()
                }
                let now = (try? String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)) ?? ""
                if now.hasPrefix("\(killed)\n") { answered = false }
                try await Task.sleep(for: .milliseconds(20))  // nobody tells when it answers
            }
        }
        await server.stop()
    }

    @Test func whoAsksForADatabaseWaitsForAServerThatIsKilled() async throws {
        let parent = try TemporaryFolder()
        let folder = parent.path("postgres")
        let server = try await LocalPostgres(folder: folder)
        let starting = Task { try await server.start() }
        kill(try await Self.runningPostmaster(folder), SIGKILL)
        try await starting.value
        for name in ["one", "two"] {
            let killed = try await Self.runningPostmaster(folder)
            kill(killed, SIGKILL)
            let connection = try await PostgresConnection.connect(PostgresConfiguration(server.ownedDatabase(name)))
            #expect(Self.postmaster(folder) != killed)
            await connection.close()
        }
        await server.stop()
    }

    /// What recovers the data may live on for a minute without its postmaster, and would hold on to them.
    @Test(arguments: [true, false]) func oneThatIsKilledWhileItRecoversKeepsNobodyWaiting(isStopped: Bool) async throws
    {
        let parent = try TemporaryFolder()
        let folder = parent.path("postgres")
        let server = try await LocalPostgres(folder: folder)
        try await server.start()
        var killed = try await Self.runningPostmaster(folder)
        kill(killed, SIGKILL)
        var since = ContinuousClock.now
        var recovering: (postmaster: Int32, process: Int32)?
        while recovering == nil {
            try await Task.sleep(for: .milliseconds(1))  // it is there for some time, but nobody tells from when on
            recovering = Self.recovering(folder, after: killed)
            // It was over between two looks: once more.
            if recovering == nil, ContinuousClock.now - since > .seconds(3), let next = Self.postmaster(folder),
                next != killed
            {
                (killed, since) = (next, .now)
                kill(killed, SIGKILL)
            }
        }
        let left = try #require(recovering)
        // So that it stays for certain.
        kill(left.process, SIGSTOP)
        kill(left.postmaster, SIGKILL)

        let start = ContinuousClock.now
        if isStopped { await server.kill() }
        let last = isStopped ? try await LocalPostgres(folder: folder) : server
        if isStopped { try await last.start() }
        _ = try await last.ownedDatabase("one")
        #expect(ContinuousClock.now - start < .seconds(45))
        await last.stop()
    }

    private static func recovering(
        _ folder: String, after former: Int32
    ) -> (postmaster: Int32, process: Int32)? {
        guard let postmaster = postmaster(folder), postmaster != former,
            let children = try? String(
                contentsOfFile: "/proc/\(postmaster)/task/\(postmaster)/children", encoding: .utf8)
        else { return nil }
        let process = children.split(separator: " ").compactMap { Int32($0) }.first { child in
            let title = FileManager.default.contents(atPath: "/proc/\(child)/cmdline") ?? Data()
            return String(decoding: title, as: UTF8.self).hasPrefix("postgres: startup")
        }
        return process.map { (postmaster, $0) }
    }

    /// There is none for a moment while a server that was killed is replaced.
    private static func runningPostmaster(_ folder: String) async throws -> Int32 {
        while true {
            if let found = postmaster(folder) { return found }
            try await Task.sleep(for: .milliseconds(1))  // nobody tells when the file is written
        }
    }

    private static func postmaster(_ folder: String) -> Int32? {
        let file = try? String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)
        return file?.split(separator: "\n").first.flatMap { Int32($0) }
    }

    @Test func aWrongPasswordIsRefused() async throws {
        let parent = try TemporaryFolder()
        let server = try await LocalPostgres(folder: parent.path("postgres"))
        try await server.start()
        await #expect(throws: PostgresError.self) {
            try await PostgresConnection.connect(
                PostgresConfiguration("postgresql://todo:wrong@127.0.0.1:\(server.port)/postgres?sslmode=disable"))
        }
        await server.stop()
    }

    @Test func aSetUpThatIsCancelledEndsAtOnceAndTheNextOneWorks() async throws {
        let parent = try TemporaryFolder()
        var cutShort: String?
        for folder in (1...5).map({ parent.path("postgres\($0)") }) where cutShort == nil {
            if try await Self.cutShort(folder) { cutShort = folder }
        }
        let folder = try #require(cutShort, "initdb was never killed")

        let second = try await LocalPostgres(folder: folder)
        let starting = Task { try await second.start() }
        while !FileManager.default.fileExists(atPath: "\(folder)/data/postmaster.pid") { await Task.yield() }
        starting.cancel()
        _ = await starting.result
        try await second.start()
        await second.stop()
    }

    /// Cancels a set-up in which initdb is at work. False when that got farther all the same: on a busy machine, it was
    /// cancelled too late.
    private static func cutShort(_ folder: String) async throws -> Bool {
        let base = "\(folder)/data.new/base"
        let setUp = Task { try await LocalPostgres(folder: folder) }
        while !FileManager.default.fileExists(atPath: "\(base)/1"),
            !FileManager.default.fileExists(atPath: "\(folder)/data")
        {
            await Task.yield()
        }
        setUp.cancel()
        let result = await setUp.result
        // The first of the three databases that it makes.
        guard (try? FileManager.default.contentsOfDirectory(atPath: base)) == ["1"] else { return false }
        #expect(throws: LocalPostgresError.stopped) { try result.get() }
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/data"))
        return true
    }

    @Test func itSaysInPostgreSQLsWordsWhyItDidNotStart() async throws {
        let parent = try TemporaryFolder()
        let taken = try ListeningSocket()
        let server = try await LocalPostgres(folder: parent.path("postgres"), port: taken.port)
        let error = await #expect(throws: LocalPostgresError.self) { try await server.start() }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("PostgreSQL did not start: could not create any TCP/IP sockets; see "), "\(text)")
    }

    @Test func aFreePortIsNoneThatTheSystemGivesToConnections() throws {
        let range = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        let first = try #require(range.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) })
        for _ in 0..<200 {
            let port = try LoopbackPort.free()
            #expect(port < max(first, 32_768) && LoopbackPort.obstacle(port) == nil)
        }
        let taken = try ListeningSocket()
        #expect(LoopbackPort.obstacle(taken.port) == "Address already in use")
    }

    @Test func aFolderInUseIsLeftAlone() async throws {
        let parent = try TemporaryFolder()
        let first = try await LocalPostgres(folder: parent.path("postgres"))
        try await first.start()
        let second = Task { try await LocalPostgres(folder: parent.path("postgres")) }
        try await Task.sleep(for: .milliseconds(300))  // long enough to get the lock, were it free
        second.cancel()
        await #expect(throws: LocalPostgresError.stopped) { try await second.value }
        await first.stop()
    }
}

/// What root has to mind, for whom PostgreSQL runs as another user.
@Suite(.enabled(if: geteuid() == 0, "not root"), .timeLimit(.minutes(10))) struct RootTests {
    @Test func aFolderThatPostgreSQLsUserCannotReachIsNamed() async throws {
        let parent = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: parent.url.path)
        let error = await #expect(throws: LocalPostgresError.self) {
            try await LocalPostgres(folder: parent.path("postgres"))
        }
        let text = error?.description ?? ""
        #expect(text.contains("cannot enter \(parent.url.path): name another folder with --data-dir"), "\(text)")
    }

    @Test func whatRootWritesLiesWhereThatUserCanPutNoLink() async throws {
        let parent = try TemporaryFolder()
        let folder = parent.path("postgres")
        // As a program left it that gave the whole folder away.
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let nobody = try #require(getpwnam("nobody")?.pointee.pw_uid)
        #expect(chown(folder, nobody, nobody) == 0)
        let victim = parent.path("victim")
        try "precious".write(toFile: victim, atomically: true, encoding: .utf8)
        for name in ["log", "port", "port.new", "password.new"] {
            #expect(symlink(victim, "\(folder)/\(name)") == 0)
        }
        let server = try await LocalPostgres(folder: folder)
        try await server.start()
        await server.stop()
        #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
        let attributes = try FileManager.default.attributesOfItem(atPath: folder)
        #expect(attributes[.ownerAccountID] as? Int == 0)
        #expect(attributes[.posixPermissions] as? Int == 0o711)
        let data = try FileManager.default.attributesOfItem(atPath: "\(folder)/data")
        #expect(data[.ownerAccountID] as? Int != 0)
        #expect(data[.posixPermissions] as? Int == 0o700)
    }

    @Test func anOwnedDatabaseHasALoginThatIsNoSuperuserAndStaysTheSame() async throws {
        let folder = try TemporaryFolder()
        let server = try await LocalPostgres(folder: folder.path("postgres"))
        try await server.start()
        let uri = try await server.ownedDatabase("app")
        #expect(try await server.ownedDatabase("app") == uri)
        let connection = try await PostgresConnection.connect(PostgresConfiguration(uri))
        let rows = try await connection.query(
            "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        let mayMore = try rows.map { try $0.decode(Bool.self) }
        #expect(mayMore == [false])
        _ = try await connection.query("CREATE TABLE t (x int4)")
        await connection.close()
        await server.stop()
    }
}

/// Somebody on a port of 127.0.0.1.
final class ListeningSocket: Sendable {
    let port: Int
    private let descriptor: Int32

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        try #require(status == 0 && listen(descriptor, 1) == 0)
    }

    deinit { close(descriptor) }
}
