public import KubernetesClient
internal import StructuredData

/// An object in a store: encoded, which takes about a fifth of the room of the decoded value, with what is asked most
/// often beside it. A class, so that the tables that hold it have small slots.
public final class StoredObject: Sendable {
    public let key: ObjectKey
    public let uid: String
    public let resourceVersion: String
    public let generation: Int
    public let isBeingDeleted: Bool
    /// The owner with `controller: true`.
    public let controller: Owner?
    /// Digest of the fields that the store's field manager owns and of their values; see `OwnedFields`.
    public let ownedDigest: UInt64
    private let bytes: [UInt8]

    private static let nothing = Array("{}".utf8)

    /// - Parameters:
    ///   - kept: what is kept of `object`; nil keeps all of it.
    ///   - share: gives an equal owner that is known already: thousands of objects have few of them.
    init(
        _ object: KubernetesObject, keeping kept: KubernetesObject? = nil, ownedDigest: UInt64,
        sharing share: (Owner) -> Owner = { $0 }
    ) {
        key = ObjectKey(object)
        uid = object.uid
        resourceVersion = object.resourceVersion
        generation = object.generation
        isBeingDeleted = object.isBeingDeleted
        controller = object.controller.map { share(Owner($0)) }
        self.ownedDigest = ownedDigest
        let encoded = (kept ?? object).json.encoded()
        // A copy of just this size: the encoder's buffer has room to spare, which thousands of objects would keep.
        bytes = encoded == Self.nothing ? Self.nothing : encoded.withUnsafeBufferPointer { Array($0) }
    }

    /// Who an owner reference refers to.
    public struct Owner: Sendable, Hashable {
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
