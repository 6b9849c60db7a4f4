internal import Concurrency
internal import Glibc

/// Tells which addresses a host name stands for.
public protocol AddressResolver: Sendable {
    /// In the order in which to try them; none when there is no such name. Throws `ResolutionError` when that cannot be
    /// told now.
    func addresses(of host: String) async throws -> [IPAddress]
}

public struct ResolutionError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Asks the system (getaddrinfo), on a thread of its own for it blocks. Numbers in any spelling are addresses, too.
public struct SystemResolver: AddressResolver {
    public init() {}

    public func addresses(of host: String) async throws -> [IPAddress] {
        try await runBlocking { () throws(ResolutionError) in try Self.lookUp(host) }
    }

    private static func lookUp(_ host: String) throws(ResolutionError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        defer { freeaddrinfo(list) }
        switch status {
        case 0: break
        case EAI_NONAME, EAI_NODATA: return []
        default:
            throw ResolutionError(
                description: "the name \(host) cannot be looked up: \(String(cString: gai_strerror(status)))")
        }
        var addresses: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = IPAddress(entry.pointee), !addresses.contains(address) { addresses.append(address) }
            next = entry.pointee.ai_next
        }
        return addresses
    }

    /// glibc's; Swift sees it only in GNU sources.
    private static let EAI_NODATA: Int32 = -5
}

extension IPAddress {
    fileprivate init?(_ entry: addrinfo) {
        switch (entry.ai_family, entry.ai_addr) {
        case (AF_INET, let address?):
            self.init(
                bytes: address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    withUnsafeBytes(of: $0.pointee.sin_addr) { Array($0) }
                })
        case (AF_INET6, let address?):
            self.init(
                bytes: address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                    withUnsafeBytes(of: $0.pointee.sin6_addr) { Array($0) }
                })
        default: return nil
        }
    }
}
