import Foundation

/// A certificate authority, a server certificate for 127.0.0.1 and `kube.internal`, one for a client, and an authority
/// that signed none of them. Made once, by the openssl command.
struct TestCertificates: Sendable {
    let authority: [UInt8]
    let otherAuthority: [UInt8]
    let server: [UInt8]
    let serverKey: [UInt8]
    let client: [UInt8]
    let clientKey: [UInt8]

    static let shared = Result { try TestCertificates() }

    private init() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("certs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let script = """
            set -e
            cd "\(directory.path)"
            authority() {
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                    -subj "/CN=$1" -keyout $1.key -out $1.pem
            }
            signed() {
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" \
                    -keyout $1.key -out $1.csr
                printf "$2" > $1.ext
                openssl x509 -req -in $1.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
                    -extfile $1.ext -out $1.pem
            }
            authority authority
            authority other
            signed server "subjectAltName=DNS:kube.internal,DNS:localhost,IP:127.0.0.1"
            signed client "extendedKeyUsage=clientAuth"
            """
        let process = try ChildProcess(["/bin/sh", "-c", script])
        guard process.exitCode(waiting: true) == 0 else {
            throw ServerError(what: "openssl could not make certificates")
        }
        func read(_ name: String) throws -> [UInt8] {
            [UInt8](try Data(contentsOf: directory.appendingPathComponent(name)))
        }
        authority = try read("authority.pem")
        otherAuthority = try read("other.pem")
        server = try read("server.pem")
        serverKey = try read("server.key")
        client = try read("client.pem")
        clientKey = try read("client.key")
    }
}
