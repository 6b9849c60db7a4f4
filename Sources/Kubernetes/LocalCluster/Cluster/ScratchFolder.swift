internal import Glibc

/// A folder of one process, `/tmp/todo-cluster-XXXXXX`, for logs that nobody keeps. It is locked while the process lives:
/// so the next one finds those whose process was killed, and removes them.
final class ScratchFolder: Sendable {
    private static let parent = "/tmp"
    private static let prefix = "todo-cluster-"

    let path: String
    private let descriptor: Int32

    init() throws(LogError) {
        Self.removeAbandoned()
        while true {
            var template = Array("\(Self.parent)/\(Self.prefix)XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw LogError(path: Self.parent, errno: errno) }
            let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // Between the two calls another process may have taken it for abandoned.
            guard let descriptor = Self.lock(path) else { continue }
            self.path = path
            self.descriptor = descriptor
            return
        }
    }

    deinit { close(descriptor) }

    func remove() { LogFolder.removeTree(path) }

    private static func removeAbandoned() {
        for name in LogFolder.names(in: parent) where name.hasPrefix(prefix) {
            guard let descriptor = lock("\(parent)/\(name)") else { continue }
            LogFolder.removeTree("\(parent)/\(name)")
            close(descriptor)
        }
    }

    /// Nil when somebody has it, or it is gone or not ours.
    private static func lock(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var information = stat()
        let isOurs = fstat(descriptor, &information) == 0 && information.st_uid == geteuid()
        if isOurs, flock(descriptor, LOCK_EX | LOCK_NB) == 0, access(path, F_OK) == 0 { return descriptor }
        close(descriptor)
        return nil
    }
}
