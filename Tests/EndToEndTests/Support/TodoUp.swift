import ChildProcess
import Concurrency
import Foundation
import KubernetesClient
import Postgres
import StructuredData
import Testing

/// A `todo up`, with the sample `TodoApp` unless told otherwise; a process of its own that can be killed and started again on its data.
final class TodoUp: Sendable {
    /// One for all tests of this run that need none of their own; it ends with the test process.
    static func shared() async throws -> TodoUp { try await sharedTask.value }
    private static let sharedTask = Task { try await TodoUp.start() }

    let data: TemporaryFolder
    /// `http://127.0.0.1:<port>`
    let address: String
    /// The token with all scopes.
    let token: String
    private let file: String?
    private let running: Lock<BackgroundProcess>

    private init(data: TemporaryFolder, file: String?, process: BackgroundProcess) async throws {
        self.data = data
        self.file = file
        address = try await process.line(matching: /(?m)^ +address +(\S+)$/)
        token = try await process.line(matching: /(?m)^ +token +(\S+)$/)
        running = Lock(process)
    }

    /// Returns when it is up; on the data that it finds in the folder.
    /// - Parameters:
    ///   - port: of the web page; 0 takes a free one.
    ///   - app: the `TodoApp`; nil is the sample.
    static func start(_ data: TemporaryFolder? = nil, port: Int = 0, app: JSON? = nil) async throws -> TodoUp {
        let data = try data ?? TemporaryFolder()
        var file: String?
        if let app {
            let url = data.url.appending(path: "app.yaml")
            try Data(app.encoded()).write(to: url)
            file = url.path
        }
        let process = try await launch(data, port: "\(port)", file)
        _ = try await process.line(matching: /(Ctrl-C stops everything)/, within: .seconds(120))
        return try await TodoUp(data: data, file: file, process: process)
    }

    private static func launch(_ data: TemporaryFolder, port: String, _ file: String?) async throws
        -> BackgroundProcess
    {
        let arguments = ["up", "--data-dir", data.url.path, "--port", port] + (file.map { ["--file", $0] } ?? [])
        return try await BackgroundProcess.start(Command.todo, arguments)
    }

    var process: BackgroundProcess { running.withLock { $0 } }
    var port: String { String(address.split(separator: ":").last ?? "") }
    var kubeconfig: String { data.url.appending(path: "kubeconfig").path }
    /// Of the Kubernetes API, which is at another port after each start.
    var client: KubernetesClient {
        get throws { KubernetesClient(configuration: try ClusterConfiguration.load(kubeconfig: kubeconfig)) }
    }

    /// Runs a statement on its database that sees the rows of everybody; gives how many it was about.
    @discardableResult
    func sql(_ statement: PostgresQuery) async throws -> Int {
        let client = try client
        let app = try await client.get(.todoApps, namespace: "todo", name: "todo", subresource: nil)
        let name = app.json.at("spec", "database", "secretRef", "name")?.string ?? ""
        let secret = try await client.get(.secrets, namespace: "todo", name: name, subresource: nil)
        let data = secret.json.at("data", "uri")?.string.flatMap { Data(base64Encoded: $0) }
        let uri = String(decoding: try #require(data), as: UTF8.self)
        let connection = try await PostgresConnection.connect(PostgresConfiguration(uri))
        let affected = try await connection.withTransaction { connection in
            try await connection.query("SELECT set_config('app.system', 'on', true)")
            return try await connection.query(statement).affected
        }
        await connection.close()
        return affected
    }

    /// Kills it and starts it again, with the web page at the same address; does not wait until it is up.
    func killAndRestart() async throws {
        try await process.stop(SIGKILL)
        let process = try await Self.launch(data, port: port, file)
        running.withLock { $0 = process }
    }
}
