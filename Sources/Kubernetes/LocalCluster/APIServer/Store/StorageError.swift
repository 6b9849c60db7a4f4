/// Why a data folder cannot be used.
public enum StorageError: Error, Sendable, Hashable, CustomStringConvertible {
    case inUse(folder: String)
    case io(path: String, action: String, reason: String)
    case corrupt(path: String, offset: Int)
    /// Something that is not ours to replace.
    case foreign(path: String, what: String)

    public var description: String {
        switch self {
        case .inUse(let folder): "\(folder) is in use by another server: stop that one, or choose another data folder"
        case .io(let path, let action, let reason): "cannot \(action) \(path): \(reason)"
        case .corrupt(let path, let offset):
            "\(path) is damaged at byte \(offset), before records that follow: restore the folder from a copy"
        case .foreign(let path, let what): "\(path) is \(what), and stays as it is: name another file"
        }
    }
}
