internal import CCurl
internal import CEpoll

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The sockets of one reactor: made here, so that they can be found again when one has to be given up, and watched by
/// an epoll descriptor that libcurl's wishes are carried over to.
final class CurlSockets: @unchecked Sendable {  // used by whoever holds the loop's lock
    private struct Socket {
        /// A descriptor's number is soon given to the next socket: this tells an old event.
        let generation: UInt32
        /// Made by `onOpen`; others are the name resolver's, which closes them without a word.
        let isOwn: Bool
        /// What libcurl waits for, as `CURL_POLL_*` says it.
        var wanted: CInt = CURL_POLL_NONE
        /// What the kernel reports; nil when it does not know the socket.
        var watched: CInt?
        var localPort: Int?
    }

    private let epoll: CInt
    private var sockets: [CInt: Socket] = [:]
    /// Found by `isHungUp`. Two connections may have one port, to different peers.
    private var descriptors: [Int: CInt] = [:]
    private var lastGeneration: UInt32 = 0

    /// Also the token of the reactor's own descriptor.
    static let wakeToken = UInt64.max

    init(epoll: CInt) { self.epoll = epoll }

    // MARK: Waiting

    /// libcurl's wish. One that is gone stays with the kernel until an event comes in spite of it: most connections
    /// wait for the next response by then, and two system calls for each request are spared.
    func want(_ wanted: CInt, of descriptor: CInt) {
        if wanted == CURL_POLL_REMOVE, sockets[descriptor]?.isOwn != true { return forget(descriptor) }
        var socket = sockets[descriptor] ?? newSocket(isOwn: false)
        socket.wanted = wanted == CURL_POLL_REMOVE ? CURL_POLL_NONE : wanted
        if socket.wanted != CURL_POLL_NONE, socket.wanted != socket.watched {
            let events =
                (wanted & CURL_POLL_IN != 0 ? cepoll_readable : 0) | (wanted & CURL_POLL_OUT != 0 ? cepoll_writable : 0)
            let token = UInt64(socket.generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
            _ = (socket.watched == nil ? cepoll_add : cepoll_modify)(epoll, descriptor, events, token)
            socket.watched = socket.wanted
        }
        sockets[descriptor] = socket
    }

    /// What an event means to libcurl: a descriptor and `CURL_CSELECT_*`; nil when nobody waits for it.
    func match(_ event: cepoll_ready) -> (descriptor: CInt, readiness: CInt)? {
        let descriptor = CInt(truncatingIfNeeded: event.token)
        guard let socket = sockets[descriptor], UInt64(socket.generation) == event.token >> 32 else { return nil }
        guard socket.wanted != CURL_POLL_NONE else {
            _ = cepoll_remove(epoll, descriptor)
            sockets[descriptor]?.watched = nil
            return nil
        }
        // A broken socket is what it is waited for: the read or write that follows tells why.
        var readiness: CInt = 0
        if event.events & (cepoll_readable | cepoll_broken) != 0 { readiness |= socket.wanted & CURL_CSELECT_IN }
        if event.events & (cepoll_writable | cepoll_broken) != 0 { readiness |= socket.wanted & CURL_CSELECT_OUT }
        return (descriptor, readiness)
    }

    private func newSocket(isOwn: Bool) -> Socket {
        lastGeneration &+= 1
        // Not the wake token's.
        if lastGeneration == .max { lastGeneration = 1 }
        return Socket(generation: lastGeneration, isOwn: isOwn)
    }

    private func forget(_ descriptor: CInt) {
        guard let socket = sockets.removeValue(forKey: descriptor) else { return }
        if let port = socket.localPort { descriptors[port] = nil }
        if socket.watched != nil { _ = cepoll_remove(epoll, descriptor) }
    }

    // MARK: Opening and closing

    /// A peer that is gone without a word is noticed after this many milliseconds with unanswered bytes, for all
    /// streams of its connection; keep-alive probes count as such.
    private static let unansweredLimit: CInt = 45_000

    /// Sockets that no child process inherits: it would keep connections open that were closed here.
    static let onOpen: curl_opensocket_callback = { owner, _, address in
        guard let address = address?.pointee, let sockets = CurlSockets.from(owner) else { return CURL_SOCKET_BAD }
        let descriptor = socket(address.family, address.socktype | CInt(SOCK_CLOEXEC.rawValue), address.protocol)
        guard descriptor >= 0 else { return CURL_SOCKET_BAD }
        var limit = unansweredLimit
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, &limit, socklen_t(MemoryLayout<CInt>.size))
        sockets.sockets[descriptor] = sockets.newSocket(isOwn: true)
        return descriptor
    }

    static let onClose: curl_closesocket_callback = { owner, descriptor in
        CurlSockets.from(owner)?.forget(descriptor)
        return close(descriptor)
    }

    /// Whether the peer has closed the connection from this local port, which was used before. libcurl looks for that
    /// too, but takes the alert by which TLS says goodbye for a sign of life.
    func isHungUp(localPort: Int) -> Bool {
        guard let descriptor = descriptors[localPort] else {
            learnPorts()
            return false
        }
        return cepoll_is_hung_up(descriptor)
    }

    private func learnPorts() {
        for (descriptor, socket) in sockets where socket.isOwn && socket.localPort == nil {
            guard let port = Self.localPort(of: descriptor), port != 0, descriptors[port] == nil else { continue }
            sockets[descriptor]?.localPort = port
            descriptors[port] = descriptor
        }
    }

    /// Breaks the connection from this local port off, unless a byte came on it within `span`; libcurl then finds it
    /// dead.
    func shutDown(localPort: Int, ifSilentFor span: Duration) {
        for (descriptor, socket) in sockets where socket.isOwn && Self.localPort(of: descriptor) == localPort {
            guard Duration.milliseconds(cepoll_silence(descriptor)) >= span else { continue }
            shutdown(descriptor, CInt(SHUT_RDWR))
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

    private static func from(_ owner: UnsafeMutableRawPointer?) -> CurlSockets? {
        owner.map { Unmanaged<CurlSockets>.fromOpaque($0).takeUnretainedValue() }
    }
}
