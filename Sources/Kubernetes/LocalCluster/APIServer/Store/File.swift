#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// An open file: the few calls that the journal and the key folder need. Closed when dropped.
struct File: ~Copyable {
    enum Mode {
        case read
        /// Made when absent, written at its end.
        case append
        /// Made anew, readable by its owner only.
        case create
    }

    private let descriptor: Int32
    let path: String

    init(_ path: String, _ mode: Mode) throws(StorageError) {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .append: O_RDWR | O_CREAT | O_APPEND
            case .create: O_WRONLY | O_CREAT | O_TRUNC
            }
        descriptor = open(path, flags | O_CLOEXEC, 0o600)
        self.path = path
        guard descriptor >= 0 else { throw Self.error(path, "open") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws(StorageError) {
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { raw in
                raw.baseAddress.map { Glibc.write(descriptor, $0 + offset, raw.count - offset) } ?? 0
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.error(path, "write") }
            offset += written
        }
    }

    /// Returns when the data is on the disk.
    func synchronize() throws(StorageError) {
        guard fdatasync(descriptor) == 0 else { throw Self.error(path, "sync") }
    }

    func readAll() throws(StorageError) -> [UInt8] {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.error(path, "read") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeMutableBytes { raw in
                raw.baseAddress.map { pread(descriptor, $0 + offset, raw.count - offset, off_t(offset)) } ?? 0
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.error(path, "read") }
            if count == 0 { break }
            offset += count
        }
        return Array(bytes[..<offset])
    }

    func truncate(to size: Int) throws(StorageError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw Self.error(path, "truncate") }
    }

    /// Takes the whole file for this process; false when another has it. Given back when the file is closed.
    func lock() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    func unlock() { flock(descriptor, LOCK_UN) }

    static func error(_ path: String, _ action: String) -> StorageError {
        .io(path: path, action: action, reason: String(cString: strerror(errno)))
    }
}

/// Folder calls.
enum Folder {
    /// Makes the folder and those above it; the last is open to its owner only.
    static func make(_ path: String) throws(StorageError) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty || prefix.hasSuffix("/") ? String(part) : "/\(part)"
            guard mkdir(prefix, 0o700) == 0 || errno == EEXIST else { throw File.error(prefix, "make") }
        }
    }

    static func names(in path: String) throws(StorageError) -> [String] {
        guard let folder = opendir(path) else { throw File.error(path, "list") }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func rename(_ from: String, to: String) throws(StorageError) {
        guard Glibc.rename(from, to) == 0 else { throw File.error(from, "rename") }
    }

    static func remove(_ path: String) throws(StorageError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw File.error(path, "remove") }
    }

    /// Makes the names in the folder durable.
    static func synchronize(_ path: String) throws(StorageError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw File.error(path, "open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw File.error(path, "sync") }
    }

    /// The file that a link stands for; the path itself when it is no link, or there is nothing.
    static func target(of path: String) throws(StorageError) -> String {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return path }
        guard let target = realpath(path, nil) else { throw File.error(path, "follow the link") }
        defer { free(target) }
        return String(cString: target)
    }

    static func isRegularFile(_ path: String) throws(StorageError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { throw File.error(path, "read") }
        return status.st_mode & S_IFMT == S_IFREG
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The permission bits of a file or folder.
    static func mode(of path: String) throws(StorageError) -> UInt32 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw File.error(path, "read") }
        return status.st_mode & 0o777
    }
}
