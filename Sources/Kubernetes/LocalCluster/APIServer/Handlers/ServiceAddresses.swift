internal import APIServerKinds
internal import Concurrency
internal import StructuredData

/// The cluster IPs and node ports (30000 to 32767) that Services have.
final class ServiceAddresses: Sendable {
    private struct State {
        var used: Set<UInt32> = []
        var ports: Set<Int> = []
    }

    private static let portRange = 30_000...32_767

    private let range: AddressRange
    private let state = Lock(State())

    init(_ range: AddressRange) { self.range = range }

    /// Takes what the stored Service already has.
    func adopt(_ service: JSON) {
        state.withLock { state in
            for text in service.addresses { if let address = AddressRange.parse(text) { state.used.insert(address) } }
            state.ports.formUnion(service.nodePorts)
        }
    }

    func release(_ service: JSON) {
        for address in service.addresses { release(clusterIP: address) }
        for port in service.nodePorts { release(nodePort: port) }
    }

    func allocateClusterIP(requested: String?) throws(AddressError) -> String {
        if let requested {
            guard let address = AddressRange.parse(requested) else { throw AddressError("provided IP is not valid") }
            guard range.hosts.contains(address) else {
                throw AddressError("the provided IP is not in the valid range. The range of valid IPs is \(range.text)")
            }
            guard state.withLock({ $0.used.insert(address).inserted }) else {
                throw AddressError("provided IP is already allocated")
            }
            return requested
        }
        for _ in 0..<64 {
            let address = UInt32.random(in: range.hosts)
            if state.withLock({ $0.used.insert(address).inserted }) { return AddressRange.text(address) }
        }
        let free = state.withLock { state in range.hosts.first { state.used.insert($0).inserted } }
        guard let free else { throw AddressError("range is full") }
        return AddressRange.text(free)
    }

    func allocateNodePort(requested: Int?) throws(AddressError) -> Int {
        if let requested {
            guard Self.portRange.contains(requested) else {
                throw AddressError("provided port is not in the valid range. The range of valid ports is 30000-32767")
            }
            guard state.withLock({ $0.ports.insert(requested).inserted }) else {
                throw AddressError("provided port is already allocated")
            }
            return requested
        }
        let start = Int.random(in: Self.portRange)
        let candidates = (start...Self.portRange.upperBound).map { $0 } + (Self.portRange.lowerBound..<start)
        let free = state.withLock { state in candidates.first { state.ports.insert($0).inserted } }
        guard let free else { throw AddressError("range is full") }
        return free
    }

    func release(clusterIP: String) {
        guard let address = AddressRange.parse(clusterIP) else { return }
        state.withLock { _ = $0.used.remove(address) }
    }

    func release(nodePort: Int) { state.withLock { _ = $0.ports.remove(nodePort) } }
}

extension JSON {
    fileprivate var addresses: Set<String> {
        var addresses = Set(at("spec", "clusterIPs")?.array?.compactMap(\.string) ?? [])
        if let address = at("spec", "clusterIP")?.string { addresses.insert(address) }
        return addresses
    }

    fileprivate var nodePorts: [Int] {
        let ports = at("spec", "ports")?.array?.compactMap { $0["nodePort"]?.int } ?? []
        return (ports + [at("spec", "healthCheckNodePort")?.int ?? 0]).filter { $0 != 0 }
    }
}

/// The addresses that one write took or gave up: undone when the write is not made.
final class AddressTransaction: ServiceAddressAllocator {
    private struct Changes {
        var addresses: [String] = []
        var ports: [Int] = []
    }

    private let base: ServiceAddresses
    private let taken = Lock(Changes())
    private let released = Lock(Changes())

    init(_ base: ServiceAddresses) { self.base = base }

    func allocateClusterIP(requested: String?) throws(AddressError) -> String {
        let address = try base.allocateClusterIP(requested: requested)
        taken.withLock { $0.addresses.append(address) }
        return address
    }

    func allocateNodePort(requested: Int?) throws(AddressError) -> Int {
        let port = try base.allocateNodePort(requested: requested)
        taken.withLock { $0.ports.append(port) }
        return port
    }

    func release(clusterIP: String) { released.withLock { $0.addresses.append(clusterIP) } }
    func release(nodePort: Int) { released.withLock { $0.ports.append(nodePort) } }

    /// Gives up what the write gives up, and keeps what it took. Called once the write is made.
    func commit() {
        Self.give(back: released, to: base)
        taken.withLock { $0 = Changes() }
    }

    /// Gives back what was taken.
    func rollBack() { Self.give(back: taken, to: base) }

    private static func give(back changes: Lock<Changes>, to base: ServiceAddresses) {
        let all = changes.withLock { changes in
            defer { changes = Changes() }
            return changes
        }
        for address in all.addresses { base.release(clusterIP: address) }
        for port in all.ports { base.release(nodePort: port) }
    }
}
