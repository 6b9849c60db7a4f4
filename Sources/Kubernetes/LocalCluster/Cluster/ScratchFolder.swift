internal import Glibc

/// A folder of one process, `$TMPDIR/todo-cluster-XXXXXX`, for logs that nobody keeps. It is locked while the process lives:
/// so the next one finds those whose process was killed, and removes them.
final class ScratchFolder: Sendable {
    private static let prefix = "todo-cluster-"

    let path: String
    private let descriptor: Int32

    /// - Parameter parent: else `$TMPDIR`, else `/tmp`.
    init(in parent: String? = nil) throws(LocalClusterError) {
        let parent = parent ?? Self.temporaryFolder
        Self.removeAbandoned(in: parent)
        while true {
            var template = Array("\(parent)/\(Self.prefix)XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else {
                throw LocalClusterError(
                    "cannot make a folder in \(parent): \(String(cString: strerror(errno))); set TMPDIR to one that "
                        + "can be written, or choose a data folder")
            }
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

    private static var temporaryFolder: String {
        let variable = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        return variable.isEmpty ? "/tmp" : variable
    }

    private static func removeAbandoned(in parent: String) {
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
