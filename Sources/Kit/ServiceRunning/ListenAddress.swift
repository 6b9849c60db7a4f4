internal import Glibc

/// Where a service listens.
public enum ListenAddress {
    /// All addresses of the machine: `::`, which takes IPv4 too, or `0.0.0.0` where there is no IPv6 or it is kept apart
    /// (`net.ipv6.bindv6only`).
    public static let any: String = {
        let probe = socket(AF_INET6, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return "0.0.0.0" }
        defer { close(probe) }
        var isApart: CInt = 1
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(probe, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &isApart, &length) == 0, isApart == 0 else {
            return "0.0.0.0"
        }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(probe, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
        return status == 0 ? "::" : "0.0.0.0"
    }()
}
