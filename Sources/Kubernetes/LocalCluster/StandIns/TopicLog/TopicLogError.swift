/// Why a log cannot be opened, written or read.
public enum TopicLogError: Error, Sendable, Equatable, CustomStringConvertible {
    case io(path: String, action: String, reason: String)
    /// A record that was acknowledged is damaged. What lies behind it cannot be told from garbage.
    case corrupt(path: String, offset: Int)
    /// Another process has the folder.
    case inUse(folder: String)
    case closed

    public var description: String {
        switch self {
        case .io(let path, let action, let reason): "cannot \(action) \(path): \(reason)"
        case .corrupt(let path, let offset):
            "\(path) is damaged at byte \(offset): restore it from a backup, or remove it and what it holds"
        case .inUse(let folder): "another process has \(folder) open; stop it first"
        case .closed: "the log is closed"
        }
    }
}
