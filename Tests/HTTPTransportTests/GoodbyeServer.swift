import Foundation

/// A TLS server that says nothing of it beforehand, and closes each connection in good order after its first response:
/// with the alert of TLS, then with the end of the stream.
final class GoodbyeServer: Sendable {
    let url: String
    private let process: ChildProcess
    private let directory: URL

    init() async throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("goodbye-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let certificates = try TestCertificates.shared.get()
        try Data(certificates.server + certificates.serverKey).write(to: directory.appendingPathComponent("server.pem"))
        process = try ChildProcess(["/usr/bin/python3", "-c", Self.script, directory.path])
        let port = directory.appendingPathComponent("port")
        while !FileManager.default.fileExists(atPath: port.path) {
            guard process.exitCode(waiting: false) == nil else { throw ServerError(what: "python3 ended") }
            try await Task.sleep(for: .milliseconds(5))
        }
        url = "https://127.0.0.1:\(try String(contentsOf: port, encoding: .utf8))"
    }

    /// Returns when as many connections as `count` have been closed on the server's side.
    func waitUntilClosed(_ count: Int) async throws {
        let file = directory.appendingPathComponent("closed-\(count)").path
        while !FileManager.default.fileExists(atPath: file) { try await Task.sleep(for: .milliseconds(1)) }
    }

    func stop() {
        process.kill()
        try? FileManager.default.removeItem(at: directory)
    }

    private static let script = """
        import os, socket, ssl, sys
        os.chdir(sys.argv[1])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("server.pem")
        listener = socket.create_server(("127.0.0.1", 0))
        def tell(name, text):
            with open(name + ".new", "w") as file: file.write(text)
            os.rename(name + ".new", name)
        tell("port", str(listener.getsockname()[1]))
        count = 0
        while True:
            try:
                connection = context.wrap_socket(listener.accept()[0], server_side=True)
                request = b""
                while b"\\r\\n\\r\\n" not in request:
                    request += connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
                connection.settimeout(0)
                try: connection.unwrap()
                except ssl.SSLWantReadError: pass
                connection.shutdown(socket.SHUT_WR)
                connection.close()
            except OSError: pass
            count += 1
            tell("closed-" + str(count), "")
        """
}
