/// How far an informer can be relied on; what a condition says about the API behind it.
public enum InformerStatus: Sendable, Equatable, CustomStringConvertible {
    /// Not yet listed.
    case starting
    /// The store follows the server.
    case synced
    /// The server does not have the type; asked again from time to time.
    case absent
    /// The server does not allow it; the text says what. Asked again from time to time.
    case forbidden(String)
    /// The last attempt failed; the store, if it was ever filled, may be out of date.
    case failing(String)

    /// The type is there and may be read.
    public var isAvailable: Bool {
        switch self {
        case .absent, .forbidden: false
        case .starting, .synced, .failing: true
        }
    }

    public var description: String {
        switch self {
        case .starting: "not yet listed"
        case .synced: "in sync"
        case .absent: "the server does not have this API"
        case .forbidden(let why): "not allowed: \(why)"
        case .failing(let why): "failing: \(why)"
        }
    }
}
