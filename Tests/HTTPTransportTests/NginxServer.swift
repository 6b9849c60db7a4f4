import CCurl
import Foundation
import Glibc
import LocalPostgres

/// nginx on the loopback, with a plain port, a TLS port (HTTP/1.1 and HTTP/2) and one that demands a client
/// certificate. `/about` tells how the request came; `/big` is 200 MB, `/middle` 400 KB.
final class NginxServer: Sendable {
    let plainURL: String
    let tlsURL: String
    let mutualURL: String
    let tlsPort: Int
    private let process: ChildProcess
    private let directory: URL

    init() async throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("http-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let certificates = try TestCertificates.shared.get()
        for (name, content) in [
            ("ca.pem", certificates.authority), ("server.pem", certificates.server),
            ("server.key", certificates.serverKey),
        ] {
            try Data(content).write(to: directory.appendingPathComponent(name))
        }
        try Self.makeFile(directory.appendingPathComponent("big").path, size: 200_000_000)
        try Self.makeFile(directory.appendingPathComponent("middle").path, size: 400_000)
        let ports = try (0..<3).map { _ in try LoopbackPort.free() }
        plainURL = "http://127.0.0.1:\(ports[0])"
        tlsURL = "https://127.0.0.1:\(ports[1])"
        mutualURL = "https://127.0.0.1:\(ports[2])"
        tlsPort = ports[1]
        let configuration = directory.appendingPathComponent("nginx.conf")
        try Data(Self.configuration(directory.path, ports).utf8).write(to: configuration)
        process = try ChildProcess(
            [
                Self.executable(), "-p", directory.path, "-c", configuration.path, "-e", "\(directory.path)/start.log",
            ])
        try await waitUntilListening(ports)
    }

    func stop() {
        process.kill()
        try? FileManager.default.removeItem(at: directory)
    }

    /// How much it has read of files: of a large one about as much as it could send.
    func bytesRead() throws -> Int { try process.bytesRead() }

    /// The system still takes connections for it, but it says nothing.
    func freeze() { process.send(SIGSTOP) }
    func thaw() { process.send(SIGCONT) }

    private func waitUntilListening(_ ports: [Int]) async throws {
        for port in ports {
            while !Self.canConnect(port) {
                guard process.exitCode(waiting: false) == nil else {
                    let log = try? String(contentsOf: directory.appendingPathComponent("start.log"), encoding: .utf8)
                    throw ServerError(what: "nginx ended: \(log ?? "")")
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    private static func executable() throws -> String {
        let paths = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"]
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw ServerError(what: "nginx is not installed: apt-get install nginx-light")
        }
        return path
    }

    private static func makeFile(_ path: String, size: Int) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil), truncate(path, size) == 0 else {
            throw ServerError(what: "cannot make \(path)")
        }
    }

    private static func configuration(_ directory: String, _ ports: [Int]) -> String {
        let tls = "ssl_certificate server.pem; ssl_certificate_key server.key;"
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory)/\($0);" }
        let locations = """
            root \(directory);
            add_header X-Connection $connection always;
            location = /about {
                return 200 "$server_protocol $http_host $ssl_server_name $ssl_client_s_dn";
            }
            location = /echo { client_max_body_size 0; proxy_pass http://127.0.0.1:\(ports[0])/length; }
            location = /silent { proxy_pass http://127.0.0.1:$arg_port; }
            location = /length { client_max_body_size 0; return 200 "$content_length"; }
            """
        return """
            daemon off; master_process off; pid nginx.pid; error_log error.log;
            events { worker_connections 4096; }
            http {
                access_log off; keepalive_requests 1000000; gzip_types *; gzip_min_length 0;
                \(paths.joined(separator: " "))
                server { listen 127.0.0.1:\(ports[0]) backlog=1024; gzip on; \(locations) }
                server { listen 127.0.0.1:\(ports[1]) ssl http2; \(tls) \(locations) }
                server {
                    listen 127.0.0.1:\(ports[2]) ssl http2; \(tls)
                    ssl_client_certificate ca.pem; ssl_verify_client on; \(locations)
                }
            }
            """
    }

    private static func canConnect(_ port: Int) -> Bool {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
