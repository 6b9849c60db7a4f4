internal import CCurl

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The open sockets of one reactor: made here, so that they can be found again when one has to be given up.
final class CurlSockets: @unchecked Sendable {  // used by the reactor's thread alone
    private var open: Set<CInt> = []

    /// A peer that is gone without a word is noticed after this many milliseconds with unanswered bytes, for all
    /// streams of its connection; keep-alive probes count as such.
    private static let unansweredLimit: CInt = 45_000

    /// Sockets that no child process inherits: it would keep connections open that were closed here.
    static let onOpen: curl_opensocket_callback = { owner, _, address in
        guard let address = address?.pointee else { return CURL_SOCKET_BAD }
        let socket = socket(address.family, address.socktype | CInt(SOCK_CLOEXEC.rawValue), address.protocol)
        guard socket >= 0 else { return CURL_SOCKET_BAD }
        var limit = unansweredLimit
        setsockopt(socket, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<CInt>.size))
        sockets(owner)?.open.insert(socket)
        return socket
    }

    static let onClose: curl_closesocket_callback = { owner, socket in
        sockets(owner)?.open.remove(socket)
        return close(socket)
    }

    /// Breaks the connection from this local port off; libcurl then finds it dead.
    func shutDown(localPort: Int) {
        for socket in open where Self.localPort(of: socket) == localPort {
            shutdown(socket, CInt(SHUT_RDWR))
        }
    }

    private static func localPort(of socket: CInt) -> Int? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            let status = storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(socket, $0, &length)
            }
            guard status == 0 else { return nil }
            // The port is at the same place for IPv4 and IPv6.
            return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
    }

    private static func sockets(_ owner: UnsafeMutableRawPointer?) -> CurlSockets? {
        owner.map { Unmanaged<CurlSockets>.fromOpaque($0).takeUnretainedValue() }
    }
}
