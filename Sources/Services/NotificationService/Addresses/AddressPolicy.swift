/// Which addresses a webhook may be sent to: those that are reachable from everywhere, and what the operator allows. So
/// nobody can have this service talk with what only it can reach.
public struct AddressPolicy: Sendable {
    private let allowed: [AddressBlock]

    public init(allowing blocks: [AddressBlock] = []) { allowed = blocks }

    /// Whether the operator named it. Only there a webhook may go unencrypted.
    func isNamed(_ address: IPAddress) -> Bool { allowed.contains { $0.contains(address) } }

    func permits(_ address: IPAddress) -> Bool { isNamed(address) || Self.isPublic(address) }

    /// In the IANA special-purpose address registries (RFC 6890) as globally reachable. An IPv6 address that has an IPv4
    /// address in it (mapped, NAT64, 6to4, Teredo) is not: where it leads is for others to say.
    static func isPublic(_ address: IPAddress) -> Bool {
        if address.isIPv4 { return !special4.contains { $0.contains(address) } }
        return unicast6.contains { $0.contains(address) } && !special6.contains { $0.contains(address) }
    }

    private static let special4 = blocks([
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    ])
    /// All that was given out so far; loopback, ::ffff:0:0/96, 64:ff9b::/96, fc00::/7, fe80::/10, ff00::/8 lie outside.
    private static let unicast6 = blocks(["2000::/3"])
    private static let special6 = blocks(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"])

    private static func blocks(_ texts: [String]) -> [AddressBlock] { texts.compactMap { AddressBlock($0) } }
}
