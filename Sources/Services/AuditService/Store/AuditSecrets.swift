public import Crypto
internal import FoundationEssentials

/// The keys of an installation.
public struct AuditSecrets: Sendable {
    /// Wraps the users' keys: AES-GCM, 256 bits.
    let master: SymmetricKey
    /// Signs checkpoints: Ed25519.
    public let signing: Curve25519.Signing.PrivateKey

    /// Each 32 random bytes. Nil when they are not 32.
    public init?(master: [UInt8], signingSeed: [UInt8]) {
        guard master.count == 32, let signing = try? Curve25519.Signing.PrivateKey(rawRepresentation: signingSeed)
        else {
            return nil
        }
        self.master = SymmetricKey(data: master)
        self.signing = signing
    }

    /// A new key for a user, and what of it is stored.
    func makeKey(of user: UUID) throws -> (key: SymmetricKey, wrapped: [UInt8]) {
        let key = SymmetricKey(size: .bits256)
        let bytes = key.withUnsafeBytes { Array($0) }
        return (key, try Self.seal(bytes, with: master, for: user))
    }

    /// Throws when it was wrapped with another master key, or for another user.
    func unwrap(_ wrapped: [UInt8], of user: UUID) throws -> SymmetricKey {
        SymmetricKey(data: try Self.open(wrapped, with: master, for: user))
    }

    /// AES-GCM: nonce, ciphertext and tag. It opens only for the same `id`, so it cannot be passed off as another's.
    static func seal(_ plain: [UInt8], with key: SymmetricKey, for id: UUID) throws -> [UInt8] {
        let box = try withUnsafeBytes(of: id.uuid) { try AES.GCM.seal(plain, using: key, authenticating: $0) }
        var sealed: [UInt8] = []
        sealed.reserveCapacity(12 + plain.count + 16)
        box.nonce.withUnsafeBytes { sealed.append(contentsOf: $0) }
        sealed.append(contentsOf: box.ciphertext)
        sealed.append(contentsOf: box.tag)
        return sealed
    }

    static func open(_ sealed: [UInt8], with key: SymmetricKey, for id: UUID) throws -> [UInt8] {
        let box = try AES.GCM.SealedBox(combined: sealed)
        return Array(try withUnsafeBytes(of: id.uuid) { try AES.GCM.open(box, using: key, authenticating: $0) })
    }
}
