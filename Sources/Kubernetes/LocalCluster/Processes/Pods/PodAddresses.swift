internal import Concurrency

/// Gives each pod a loopback address of its own, in 127.64.0.0/11. They are drawn by lot, so that two clusters on one
/// machine hardly ever meet.
final class PodAddresses: Sendable {
    private static let range: ClosedRange<UInt32> = 0x7F40_0001...0x7F5F_FFFE
    private let used = Lock<Set<UInt32>>([])

    /// `preferred` if it is free: that of the pod's earlier run.
    func take(preferred: String?) -> String {
        if let number = preferred.flatMap(Self.parse), Self.range.contains(number),
            used.withLock({ $0.insert(number).inserted })
        {
            return Self.text(number)
        }
        while true {
            let number = UInt32.random(in: Self.range)
            // Neither .0 nor .255: they look like networks to people.
            guard (1...254).contains(number & 255) else { continue }
            if used.withLock({ $0.insert(number).inserted }) { return Self.text(number) }
        }
    }

    func release(_ address: String) {
        guard let number = Self.parse(address) else { return }
        used.withLock { _ = $0.remove(number) }
    }

    static func parse(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let part else { return nil }
            number = number << 8 | UInt32(part)
        }
        return number
    }

    static func text(_ number: UInt32) -> String {
        [24, 16, 8, 0].map { String(number >> UInt32($0) & 255) }.joined(separator: ".")
    }
}
