/// A block of IPv4 addresses, such as `10.96.0.0/16`.
public struct AddressRange: Sendable, Hashable {
    /// As it was written.
    public let text: String
    /// The addresses that can be given out: neither the network's nor the broadcast address.
    let hosts: ClosedRange<UInt32>

    /// Nil unless `text` is an IPv4 network in CIDR notation with 2 to 2^24 addresses.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Self.parse(String(parts[0])), let prefix = UInt32(parts[1]),
            (8...30).contains(prefix)
        else { return nil }
        let size = UInt32(1) << (32 - prefix)
        let network = address & ~(size - 1)
        self.init(text: text, hosts: network + 1...network + size - 2)
    }

    private init(text: String, hosts: ClosedRange<UInt32>) {
        self.text = text
        self.hosts = hosts
    }

    /// What kubeadm gives to Services, cut to a size that suits one machine: 10.96.0.0/16.
    public static let services = AddressRange(text: "10.96.0.0/16", hosts: 0x0A60_0001...0x0A60_FFFE)

    /// The first address, which the `kubernetes` Service has.
    public var first: String { Self.text(hosts.lowerBound) }

    static func parse(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard let part else { return nil }
            address = address << 8 | UInt32(part)
        }
        return address
    }

    static func text(_ address: UInt32) -> String {
        [24, 16, 8, 0].map { String(address >> UInt32($0) & 255) }.joined(separator: ".")
    }
}
