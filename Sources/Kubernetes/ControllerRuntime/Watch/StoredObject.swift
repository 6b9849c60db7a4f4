internal import FoundationEssentials
public import KubernetesClient
internal import StructuredData

/// An object in a store: encoded, which takes about a fifth of the room of the decoded value, with what is asked most
/// often beside it. A class, so that the tables that hold it have small slots.
public final class StoredObject: Sendable {
    public let key: ObjectKey
    public var uid: String { identity.text }
    public let resourceVersion: String
    public let generation: Int
    public let isBeingDeleted: Bool
    /// The owner with `controller: true`.
    public let controller: Owner?
    /// Digest of the fields that the store's field manager owns and of their values; see `OwnedFields`.
    public let ownedDigest: UInt64
    private let identity: Identity
    private let bytes: [UInt8]

    private static let nothing = Array("{}".utf8)

    /// - Parameters:
    ///   - kept: what is kept of `object`; nil keeps all of it.
    ///   - share: gives an equal owner that is known already.
    init(
        _ object: KubernetesObject, keeping kept: KubernetesObject? = nil, ownedDigest: UInt64,
        sharing share: (Owner) -> Owner = { $0 }
    ) {
        key = ObjectKey(object)
        identity = Identity(object.uid)
        resourceVersion = object.resourceVersion
        generation = object.generation
        isBeingDeleted = object.isBeingDeleted
        controller = object.controller.map { share(Owner($0)) }
        self.ownedDigest = ownedDigest
        let encoded = (kept ?? object).json.encoded()
        // A copy of just this size: the encoder's buffer has room to spare, which thousands of objects would keep.
        bytes = encoded == Self.nothing ? Self.nothing : encoded.withUnsafeBufferPointer { Array($0) }
    }

    /// A uid, which servers make of a UUID, in a fifth of the room of its text.
    private enum Identity {
        case uuid(UUID)
        case other(String)

        init(_ text: String) {
            guard let uuid = UUID(uuidString: text), uuid.uuidString.lowercased() == text else {
                self = .other(text)
                return
            }
            self = .uuid(uuid)
        }

        var text: String {
            switch self {
            case .uuid(let uuid): uuid.uuidString.lowercased()
            case .other(let text): text
            }
        }
    }

    /// Who an owner reference refers to. A class, for thousands of objects share few of them.
    public final class Owner: Sendable, Equatable {
        public let apiVersion: String
        public let kind: String
        public let name: String
        public let uid: String

        init(_ reference: JSON) {
            apiVersion = reference["apiVersion"]?.string ?? ""
            kind = reference["kind"]?.string ?? ""
            name = reference["name"]?.string ?? ""
            uid = reference["uid"]?.string ?? ""
        }

        public static func == (a: Owner, b: Owner) -> Bool {
            (a.apiVersion, a.kind, a.name, a.uid) == (b.apiVersion, b.kind, b.name, b.uid)
        }
    }

    /// What the store's transform left of the object, decoded anew at each call.
    public var object: KubernetesObject {
        // `bytes` were written by our own encoder and within the parser's limits: there is nothing to fail on.
        KubernetesObject((try? JSON(parsing: bytes)) ?? .null)
    }

    /// Bytes that the encoded object takes.
    public var encodedSize: Int { bytes.count }
}

/// How a store changed. An update has both objects.
public struct StoreChange: Sendable {
    public let old: StoredObject?
    public let new: StoredObject?
    public let origin: Reflector.Origin

    public init(old: StoredObject?, new: StoredObject?, origin: Reflector.Origin = .watch) {
        self.old = old
        self.new = new
        self.origin = origin
    }

    /// What the first list brought.
    public var isInitial: Bool { origin == .firstList }

    public enum Kind: Sendable { case added, updated, deleted }

    public var kind: Kind { old == nil ? .added : new == nil ? .deleted : .updated }
    /// The newest known state: of a deleted object its last one.
    public var latest: StoredObject? { new ?? old }
}
