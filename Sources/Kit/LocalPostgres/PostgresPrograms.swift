internal import Glibc

/// Why there is no PostgreSQL, in words that say what to do.
public enum LocalPostgresError: Error, Sendable, Equatable, CustomStringConvertible {
    case notInstalled(String)
    case noAccount(String)
    case folder(String)
    case version(String)
    case start(String)
    /// Somebody wanted it to end before it was up.
    case stopped

    public var description: String {
        switch self {
        case .notInstalled(let text), .noAccount(let text), .folder(let text), .version(let text), .start(let text):
            text
        case .stopped: "PostgreSQL was stopped while it started"
        }
    }

    /// With the reason in `errno`.
    static func io(_ verb: String, _ path: String) -> LocalPostgresError {
        .folder("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}

/// Where PostgreSQL's programs are.
struct PostgresPrograms: Sendable {
    let folder: String

    func path(_ program: String) -> String { "\(folder)/\(program)" }

    /// Of those that Debian's packages have installed, the one that made the data; for new data the newest.
    static func find(for folder: PostgresFolder) throws(LocalPostgresError) -> PostgresPrograms {
        let root = "/usr/lib/postgresql"
        let installed = names(in: root).compactMap { Int($0) }.sorted(by: >)
            .filter { access("\(root)/\($0)/bin/initdb", X_OK) == 0 }.map(String.init)
        guard let newest = installed.first else {
            throw .notInstalled("PostgreSQL is not installed; run: apt-get install postgresql")
        }
        let version = folder.dataVersion ?? newest
        guard installed.contains(version) else {
            throw .version(
                "the data in \(folder.path) is of PostgreSQL \(version), installed is \(newest): install "
                    + "postgresql-\(version), or move the folder away to begin anew")
        }
        return PostgresPrograms(folder: "\(root)/\(version)/bin")
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

/// Files of a line or two. Links are not followed.
enum SmallFile {
    static func read(_ path: String) throws(LocalPostgresError) -> String {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw .io("read", path) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw .io("read", path) }
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// With mode 0600, whole or not at all.
    static func write(_ text: String, to path: String, owner: UnixAccount? = nil) throws(LocalPostgresError) {
        let unfinished = "\(path).new"
        unlink(unfinished)
        let descriptor = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .io("write", path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw .io("write", path)
        }
        if let owner, fchown(descriptor, owner.uid, owner.gid) != 0 { throw .io("give away", path) }
        guard rename(unfinished, path) == 0 else { throw .io("write", path) }
    }
}
