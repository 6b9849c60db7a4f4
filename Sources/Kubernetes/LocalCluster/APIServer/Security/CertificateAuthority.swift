internal import Crypto
internal import SwiftASN1
internal import X509

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The cluster's own authority: signs the server's certificate and those of clients.
public struct CertificateAuthority: Sendable {
    /// A certificate and its key, as PEM.
    public struct Credential: Sendable, Hashable {
        public let certificatePEM: String
        public let keyPEM: String
    }

    private let certificate: Certificate
    private let key: P256.Signing.PrivateKey
    /// What clients have to trust.
    public let certificatePEM: String

    /// A new authority, valid for ten years.
    public init() throws {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("kubernetes-ca") }
        let extensions = try Certificate.Extensions {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
            SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -300), notValidAfter: Date(timeIntervalSinceNow: 10 * Self.year),
            issuer: name, subject: name, extensions: extensions, issuerPrivateKey: Certificate.PrivateKey(key))
        self.certificate = certificate
        self.key = key
        certificatePEM = try certificate.serializeAsPEM().pemString
    }

    /// The authority kept in `folder` (`ca.crt`, `ca.key`), made there when there is none.
    public init(folder: String) throws {
        let certificatePath = "\(folder)/ca.crt"
        let keyPath = "\(folder)/ca.key"
        try Folder.make(folder)
        guard Folder.exists(certificatePath), Folder.exists(keyPath) else {
            try self.init()
            try Self.write(key.pemRepresentation, to: keyPath)
            try Self.write(certificatePEM, to: certificatePath)
            try Folder.synchronize(folder)
            return
        }
        try self.init(
            certificatePEM: String(decoding: try File(certificatePath, .read).readAll(), as: UTF8.self),
            keyPEM: String(decoding: try File(keyPath, .read).readAll(), as: UTF8.self))
    }

    private init(certificatePEM: String, keyPEM: String) throws {
        self.certificatePEM = certificatePEM
        certificate = try Certificate(pemEncoded: certificatePEM)
        key = try P256.Signing.PrivateKey(pemRepresentation: keyPEM)
    }

    private static let year: Double = 365 * 24 * 3_600

    private static func write(_ text: String, to path: String) throws(StorageError) {
        let file = try File(path, .create)
        try file.write(Array(text.utf8))
        try file.synchronize()
    }

    /// A certificate for a server with the given names and IPv4 or IPv6 addresses, valid for a year.
    public func serverCredential(hosts: [String]) throws -> Credential {
        let names = hosts.map { host in
            IPAddress.bytes(host).map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
                ?? .dnsName(host)
        }
        return try credential(subject: DistinguishedName { CommonName("kube-apiserver") }, validFor: Self.year) {
            try ExtendedKeyUsage([.serverAuth])
            SubjectAlternativeNames(names)
        }
    }

    /// A certificate by which a client is the user `commonName` in the groups `organizations`; valid for a year.
    public func clientCredential(commonName: String, organizations: [String]) throws -> Credential {
        let subject = try DistinguishedName {
            for organization in organizations { OrganizationName(organization) }
            CommonName(commonName)
        }
        return try credential(subject: subject, validFor: Self.year) { try ExtendedKeyUsage([.clientAuth]) }
    }

    private func credential(
        subject: DistinguishedName, validFor seconds: Double,
        @ExtensionsBuilder extensions: () throws -> Result<Certificate.Extensions, any Error>
    ) throws -> Credential {
        let leafKey = P256.Signing.PrivateKey()
        var all = try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
        }
        for item in try extensions().get() { try all.append(item) }
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(leafKey.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: -300), notValidAfter: Date(timeIntervalSinceNow: seconds),
            issuer: certificate.subject, subject: subject, extensions: all,
            issuerPrivateKey: Certificate.PrivateKey(key))
        return Credential(
            certificatePEM: try leaf.serializeAsPEM().pemString, keyPEM: leafKey.pemRepresentation)
    }

    /// The user that a verified client certificate stands for; nil when its subject has no common name.
    static func identity(ofCertificate der: [UInt8]) -> APIRequest.Credentials? {
        guard let certificate = try? Certificate(derEncoded: der) else { return nil }
        var name: String?
        var organizations: [String] = []
        for part in certificate.subject {
            for attribute in part {
                guard let text = String(attribute.value) else { continue }
                if attribute.type == .RDNAttributeType.commonName { name = text }
                if attribute.type == .RDNAttributeType.organizationName { organizations.append(text) }
            }
        }
        return name.map { .certificate(commonName: $0, organizations: organizations) }
    }
}
