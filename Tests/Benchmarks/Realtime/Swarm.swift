import CEpoll
import Glibc

/// Thousands of WebSocket clients on one thread, as cheap as can be, so that what is measured is the server.
final class Swarm {
    struct Client {
        var descriptor: Int32 = -1
        var isUpgraded = false
        /// Bytes of a frame that has not come whole.
        var rest: [UInt8] = []
    }

    private(set) var clients: [Client]
    private(set) var upgraded = 0
    /// How many were closed by the server.
    private(set) var lost = 0
    /// With which codes.
    private(set) var closeCodes: [Int: Int] = [:]
    /// Called when a client may speak.
    var onUpgrade: (_ client: Int) -> Void = { _ in }
    /// Called with each text message.
    var onMessage: (_ client: Int, _ text: UnsafeRawBufferPointer) -> Void = { _, _ in }

    private let port: Int
    private let path: String
    private let epoll = cepoll_create()
    private var control: Int32 = -1
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    /// Each round of connections comes from other addresses: the ports of the one before are not free at once.
    private var round: UInt32 = 0

    init(count: Int, port: Int, path: String = "/v1/stream") {
        clients = Array(repeating: Client(), count: count)
        self.port = port
        self.path = path
    }

    deinit {
        closeAll()
        if control >= 0 { close(control) }
        close(epoll)
        buffer.deallocate()
    }

    /// Connects all, at most `window` at once, and waits until they are upgraded.
    func connectAll(
        window: Int = 256, token: (Int) -> String, meanwhile: () throws -> Void = {}
    ) throws {
        round += 1
        var next = 0
        try run {
            try meanwhile()
            while next < clients.count, next - upgraded < window {
                try connect(next, token(next))
                next += 1
            }
            return upgraded == clients.count
        }
    }

    func closeAll() {
        for index in clients.indices where clients[index].descriptor >= 0 {
            close(clients[index].descriptor)
            clients[index] = Client()
        }
        upgraded = 0
    }

    func send(_ text: String, to client: Int) {
        var frame: [UInt8] = [0x81]
        let bytes = Array(text.utf8)
        if bytes.count < 126 {
            frame.append(0x80 | UInt8(bytes.count))
        } else {
            frame += [0x80 | 126, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)]
        }
        frame += [0, 0, 0, 0] + bytes  // masked with nothing
        _ = write(clients[client].descriptor, frame, frame.count)
    }

    /// EPOLLET (epoll(7)): the kernel does not look again at a socket that was just read, which with thousands of them takes
    /// it as long as the reading.
    private static let edgeTriggered: UInt32 = 1 << 31
    /// EPOLLRDHUP: the server sends no more.
    private static let hangUp: UInt32 = 1 << 13

    /// Opens the connection for `post`.
    func reach() throws {
        guard control < 0 else { return }
        control = try open(from: 1)
        guard cepoll_add(epoll, control, cepoll_readable, UInt64.max) == 0 else { throw Failure("epoll") }
    }

    /// Sends an HTTP request on a connection of its own; the answer is read and forgotten.
    func post(_ path: String, _ body: [UInt8]) throws {
        try reach()
        let head = """
            POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r
            Content-Length: \(body.count)\r\n\r\n
            """
        var rest = (Array(head.utf8) + body)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(control, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EAGAIN { throw Failure("control") }
        }
    }

    /// Handles what comes until `isDone`, which is asked after each round of events. Throws after `seconds`.
    func run(seconds: Double = 120, until isDone: () throws -> Bool) throws {
        let end = now() + seconds
        var ready = [cepoll_ready](repeating: cepoll_ready(), count: 64)
        while try !isDone() {
            guard now() < end else { throw Failure("\(upgraded) of \(clients.count) upgraded, \(lost) lost: too late") }
            let count = cepoll_wait(epoll, &ready, 10)
            for index in 0..<max(0, Int(count)) { handle(ready[index]) }
        }
    }
}

extension Swarm {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private func connect(_ client: Int, _ token: String) throws {
        let descriptor = try open(from: 2 + round * 8 + UInt32(client) / 2500 % 8)
        clients[client] = Client(descriptor: descriptor)
        let request = """
            GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
            Sec-WebSocket-Protocol: todo.v1, bearer.\(token)\r\n\r\n
            """
        guard write(descriptor, request, request.utf8.count) == request.utf8.count,
            cepoll_add(epoll, descriptor, cepoll_readable | Self.hangUp | Self.edgeTriggered, UInt64(client)) == 0
        else { throw Failure("cannot send a handshake: errno \(errno)") }
    }

    /// IP_BIND_ADDRESS_NO_PORT (ip(7)): a port is chosen as the connection is made. To look for one that nobody has at all
    /// takes seconds when there are thousands.
    private static let bindsAddressOnly: Int32 = 24

    /// Connects from 127.0.0.`host`, then makes the socket non-blocking.
    private func open(from host: UInt32) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure("no socket left; raise ulimit -n") }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        setsockopt(descriptor, Int32(IPPROTO_IP), Self.bindsAddressOnly, &one, 4)
        var source = address(0x7f00_0000 + host, 0)
        var target = address(0x7f00_0001, UInt16(port))
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeBytes(of: &source) { source in
            withUnsafeBytes(of: &target) { target -> Int32 in
                guard let from = source.bindMemory(to: sockaddr.self).baseAddress,
                    let to = target.bindMemory(to: sockaddr.self).baseAddress,
                    bind(descriptor, from, size) == 0
                else { return -1 }
                return Glibc.connect(descriptor, to, size)
            }
        }
        guard status == 0 else { throw Failure("cannot connect: errno \(errno)") }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
    }

    private func address(_ host: UInt32, _ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return address
    }

    private func handle(_ ready: cepoll_ready) {
        if ready.token == .max {
            // Servers end a connection that is idle for seconds; `post` opens another.
            if read(control, buffer.baseAddress, buffer.count) == 0 {
                close(control)
                control = -1
            }
            return
        }
        // Less than there is room for is all there is, but for the end.
        while receive(Int(ready.token), isEnding: ready.events & Self.hangUp != 0) {}
    }

    /// Whether there may be more.
    private func receive(_ client: Int, isEnding: Bool) -> Bool {
        let kept = clients[client].rest.count
        if kept > 0 { buffer.copyBytes(from: clients[client].rest) }
        let room = buffer.count - kept
        let count = recv(clients[client].descriptor, buffer.baseAddress?.advanced(by: kept), room, 0)
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { drop(client) }
            return false
        }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<(kept + count)])
        let used = parse(bytes, client)
        if used < bytes.count || kept > 0 {
            clients[client].rest = used < bytes.count ? Array(bytes[used...]) : []
        }
        return count == room || isEnding
    }

    private func drop(_ client: Int) {
        close(clients[client].descriptor)
        clients[client].descriptor = -1
        lost += 1
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, _ client: Int) -> Int {
        var place = 0
        if !clients[client].isUpgraded {
            guard let end = headEnd(bytes) else { return 0 }
            place = end
            clients[client].isUpgraded = true
            upgraded += 1
            onUpgrade(client)
        }
        while place + 2 <= bytes.count {
            var length = Int(bytes[place + 1])
            var start = place + 2
            if length == 126 {
                guard place + 4 <= bytes.count else { break }
                length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
                start += 2
            } else if length == 127 {
                guard place + 10 <= bytes.count else { break }
                length = (2..<10).reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
                start += 8
            }
            guard start + length <= bytes.count else { break }
            if bytes[place] == 0x81 {
                onMessage(client, UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)]))
            } else if bytes[place] == 0x88, length >= 2 {
                closeCodes[Int(bytes[start]) << 8 | Int(bytes[start + 1]), default: 0] += 1
            }
            place = start + length
        }
        return place
    }

    private func headEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in 3..<bytes.count where bytes[index] == 10 && bytes[index - 1] == 13 && bytes[index - 2] == 10 {
            return index + 1
        }
        return nil
    }
}

/// Seconds of a clock that only goes forward.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
