internal import Glibc

/// Why there is no PostgreSQL, in words that say what to do.
public enum LocalPostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    case notInstalled(String)
    case noAccount(String)
    case folder(String)
    case version(String)
    case start(String)

    public var description: String {
        switch self {
        case .notInstalled(let text), .noAccount(let text), .folder(let text), .version(let text), .start(let text):
            text
        }
    }
}

/// Where PostgreSQL's programs are.
struct PostgresPrograms: Sendable {
    let folder: String
    /// `15`
    let majorVersion: String

    func path(_ program: String) -> String { "\(folder)/\(program)" }

    /// The newest that Debian's packages have installed.
    static func find() throws(LocalPostgresError) -> PostgresPrograms {
        let root = "/usr/lib/postgresql"
        let versions = names(in: root).compactMap { Int($0) }.sorted(by: >)
        for version in versions where access("\(root)/\(version)/bin/initdb", X_OK) == 0 {
            return PostgresPrograms(folder: "\(root)/\(version)/bin", majorVersion: "\(version)")
        }
        throw .notInstalled("PostgreSQL is not installed; run: apt-get install postgresql")
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                names.append(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
            }
        }
        return names
    }
}

/// A user of this machine.
struct UnixAccount: Sendable {
    let name: String
    let uid: UInt32
    let gid: UInt32

    /// Who runs the server: nil for ourselves, unless we are root.
    static func forPostgres() throws(LocalPostgresError) -> UnixAccount? {
        guard geteuid() == 0 else { return nil }
        for name in ["postgres", "nobody"] {
            if let entry = getpwnam(name) {
                return UnixAccount(name: name, uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
            }
        }
        throw .noAccount(
            "PostgreSQL does not run as root and there is no user postgres; run: adduser --system postgres")
    }
}

/// TCP ports of 127.0.0.1.
public enum LoopbackPort {
    /// One that nobody listens on right now.
    public static func free() throws(LocalPostgresError) -> Int {
        guard let port = bound(0) else { throw .start("no free port: \(String(cString: strerror(errno)))") }
        return port
    }

    static func isFree(_ port: Int) -> Bool { bound(port) != nil }

    /// The port that a socket gets which asks for `port`; nil when it is taken.
    private static func bound(_ port: Int) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        return status == 0 ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }
}

/// Files of a line or two.
enum SmallFile {
    static func read(_ path: String) throws(LocalPostgresError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .folder("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// With mode 0600, whole or not at all.
    static func write(_ text: String, to path: String) throws(LocalPostgresError) {
        let unfinished = "\(path).new"
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .folder("cannot write \(path): \(String(cString: strerror(errno)))") }
        let bytes = Array(text.utf8)
        let written = Glibc.write(descriptor, bytes, bytes.count)
        let isWhole = written == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWhole, rename(unfinished, path) == 0 else {
            throw .folder("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }
}
