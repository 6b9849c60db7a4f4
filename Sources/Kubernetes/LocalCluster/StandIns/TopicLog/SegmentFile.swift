internal import Glibc

/// One file of a log. It is written by one thread and read by any; closed when nobody has it any more.
final class SegmentFile: Sendable {
    let path: String
    /// The log's position of the file's first byte.
    let base: Int
    private let descriptor: Int32

    /// Made when it is not there, readable by its owner only.
    init(folder: String, base: Int) throws(TopicLogError) {
        path = "\(folder)/\(Self.name(base))"
        self.base = base
        descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw LogFolder.error(path, "open") }
    }

    deinit { close(descriptor) }

    /// 20 digits, so that names sort as positions do.
    static func name(_ base: Int) -> String {
        let digits = String(base)
        return String(repeating: "0", count: 20 - digits.count) + digits + ".log"
    }

    static func base(ofName name: String) -> Int? {
        name.count == 24 && name.hasSuffix(".log") ? Int(name.dropLast(4)) : nil
    }

    func append(_ bytes: [UInt8]) throws(TopicLogError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                raw.baseAddress.map { write(descriptor, $0 + written, raw.count - written) } ?? 0
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw LogFolder.error(path, "write") }
            written += count
        }
    }

    /// Returns when everything written is on the disk.
    func synchronize() throws(TopicLogError) {
        guard fdatasync(descriptor) == 0 else { throw LogFolder.error(path, "sync") }
    }

    func truncate(to size: Int) throws(TopicLogError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw LogFolder.error(path, "truncate") }
    }

    func size() throws(TopicLogError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw LogFolder.error(path, "read") }
        return Int(status.st_size)
    }

    /// `count` bytes from `offset` of the file; fewer only at its end.
    func read(_ count: Int, at offset: Int) throws(TopicLogError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let got = buffer.baseAddress.map {
                    pread(descriptor, $0 + filled, count - filled, off_t(offset + filled))
                }
                guard let got, got >= 0 || errno == EINTR else {
                    failed = true
                    return
                }
                if got == 0 { return }
                filled += max(got, 0)
            }
        }
        guard !failed else { throw LogFolder.error(path, "read") }
        return bytes
    }
}

/// The folder of a log, held by this process while it lives.
final class LogFolder: Sendable {
    let path: String
    private let lock: Int32

    /// Makes the folder and those above it.
    init(_ path: String) throws(TopicLogError) {
        self.path = path
        try Self.make(path)
        lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.error("\(path)/lock", "open") }
        // A child that was made while the folder was open before has the lock too, until its program begins.
        for attempt in 0... {
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { break }
            guard attempt < 50 else {
                close(lock)
                throw .inUse(folder: path)
            }
            usleep(10_000)
        }
    }

    deinit { close(lock) }

    /// Lets another process have the folder.
    func release() { flock(lock, LOCK_UN) }

    private static func make(_ path: String) throws(TopicLogError) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty || prefix.hasSuffix("/") ? String(part) : "/\(part)"
            guard mkdir(prefix, 0o700) == 0 || errno == EEXIST else { throw error(prefix, "make") }
        }
    }

    /// The first positions of the segments, in order.
    func segments() throws(TopicLogError) -> [Int] {
        guard let folder = opendir(path) else { throw Self.error(path, "list") }
        defer { closedir(folder) }
        var bases: [Int] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let base = SegmentFile.base(ofName: name) { bases.append(base) }
        }
        return bases.sorted()
    }

    func remove(_ base: Int) throws(TopicLogError) {
        let file = "\(path)/\(SegmentFile.name(base))"
        guard unlink(file) == 0 || errno == ENOENT else { throw Self.error(file, "remove") }
    }

    /// Makes the names in the folder durable.
    func synchronize() throws(TopicLogError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.error(path, "open") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.error(path, "sync") }
    }

    static func error(_ path: String, _ action: String) -> TopicLogError {
        .io(path: path, action: action, reason: String(cString: strerror(errno)))
    }
}
