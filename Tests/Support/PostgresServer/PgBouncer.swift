import Foundation
import LocalPostgres

/// A PgBouncer in transaction mode in front of a `PostgresServer`, with two connections for everybody. It ends with the
/// test process.
public final class PgBouncer: Sendable {
    private static let program = "/usr/sbin/pgbouncer"

    /// Tests are skipped where Debian's package `pgbouncer` is not installed.
    public static let isInstalled = FileManager.default.isExecutableFile(atPath: program)

    public let port: Int
    private let keeper: Keeper

    private init(port: Int, keeper: Keeper) {
        self.port = port
        self.keeper = keeper
    }

    public static func start(before server: PostgresServer) async throws -> PgBouncer {
        let directory = try await Shell.temporaryDirectory()
        let port = try LoopbackPort.free()
        try Shell.write(
            "\(directory)/pgbouncer.ini",
            """
            [databases]
            * = host=\(server.directory) port=\(server.port) user=postgres
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 2

            """)
        let keeper = try await Keeper.start(directory: directory, command: [program, "\(directory)/pgbouncer.ini"])
        let pooler = PgBouncer(port: port, keeper: keeper)
        try await Shell.wait("PgBouncer to answer; see \(directory)/log") {
            (try? await Shell.run("\(Shell.binaries)/psql", "-XqAt", pooler.uri(database: "postgres"), "-c", "SELECT 1"))
                == "1"
        }
        return pooler
    }

    public func uri(database: String) -> String { "postgresql://postgres@127.0.0.1:\(port)/\(database)" }
}
