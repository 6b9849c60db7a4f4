internal import Concurrency
internal import Glibc

/// One address to try: what of the connection string's lists belongs together, with the name resolved.
struct HostCandidate: Hashable {
    var host: String?
    var address: String?
    var port: String?

    /// The candidates of a connection string, in order, before name resolution. `host`, `hostaddr` and `port` are
    /// comma-separated lists of one length; a single port serves all hosts (PostgreSQL documentation, 34.1.1.3).
    static func list(host: String?, address: String?, port: String?) throws(PostgresError) -> [HostCandidate] {
        func items(_ text: String?) -> [String] {
            text.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? []
        }
        let (hosts, addresses, ports) = (items(host), items(address), items(port))
        let count = max(1, hosts.count, addresses.count)
        guard hosts.isEmpty || addresses.isEmpty || hosts.count == addresses.count else {
            throw .invalidConfiguration("\(hosts.count) hosts but \(addresses.count) host addresses")
        }
        guard ports.count <= 1 || ports.count == count else {
            throw .invalidConfiguration("\(ports.count) ports for \(count) hosts")
        }
        return (0..<count).map { index in
            HostCandidate(
                host: hosts.isEmpty ? nil : hosts[index],
                address: addresses.isEmpty || addresses[index].isEmpty ? nil : addresses[index],
                port: ports.count > 1 ? ports[index] : ports.first)
        }
    }

    /// A name that libpq would look up while the reactor waits.
    var nameToResolve: String? {
        guard address == nil, let host, let first = host.first, first != "/", first != "@" else { return nil }
        var parsed = in6_addr()
        let isNumeric = [AF_INET, AF_INET6].contains { inet_pton($0, host, &parsed) == 1 }
        return isNumeric ? nil : host
    }

    /// The candidate once for each address of its name. Looks names up on a thread of its own.
    /// Throws `PostgresError.connectionFailed` when there are none.
    func resolved() async throws(PostgresError) -> [HostCandidate] {
        guard let name = nameToResolve else { return [self] }
        let addresses = try await runBlocking { () throws(PostgresError) in try Self.lookUp(name) }
        return addresses.map { HostCandidate(host: host, address: $0, port: port) }
    }

    private static func lookUp(_ name: String) throws(PostgresError) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(name, nil, &hints, &list)
        guard status == 0 else {
            throw .connectionFailed("host \(name): \(String(cString: gai_strerror(status)))", isPermanent: false)
        }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var entry = list
        while let current = entry {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let info = current.pointee
            if getnameinfo(
                info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            {
                addresses.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            entry = info.ai_next
        }
        guard !addresses.isEmpty else { throw .connectionFailed("host \(name) has no address", isPermanent: false) }
        return addresses
    }
}
