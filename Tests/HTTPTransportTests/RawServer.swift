import CCurl
import CEpoll
import Concurrency
import Glibc

/// A server on the loopback whose every byte is the test's choice: a thread per connection runs the script.
final class RawServer: Sendable {
    let port: Int
    private let listener: CInt
    private let accepted = Lock(0)
    private let script: @Sendable (RawConnection) -> Void

    var url: String { "http://127.0.0.1:\(port)" }
    var connectionCount: Int { accepted.withLock { $0 } }

    init(_ script: @escaping @Sendable (RawConnection) -> Void) throws {
        self.script = script
        (listener, port) = try Self.listen()
        runThread { [self] in accept() }
    }

    /// Ends the listening thread; connections end with their scripts.
    func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

    private func accept() {
        while true {
            var descriptor = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            poll(&descriptor, 1, -1)
            let socket = processCreation.withLock { _ in
                let socket = Glibc.accept(listener, nil, nil)
                _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
                return socket
            }
            guard socket >= 0 else { break }
            let number = accepted.withLock { count in
                count += 1
                return count
            }
            runThread { [script] in
                let connection = RawConnection(socket, number: number)
                script(connection)
                connection.close()
            }
        }
        close(listener)
    }

    private static func listen() throws -> (socket: CInt, port: Int) {
        let socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(socket, generic, length) == 0 && Glibc.listen(socket, 512) == 0
                    && getsockname(socket, generic, &length) == 0
            }
        }
        guard status else { throw ServerError(what: "cannot listen: errno \(errno)") }
        return (socket, Int(UInt16(bigEndian: address.sin_port)))
    }
}

/// Held while a child process is made, and while a socket is not yet kept from children: a child that inherited it
/// would keep its connection open.
let processCreation = Lock(0)

struct ServerError: Error { let what: String }

/// The server's end of one connection. All calls block the thread of its script.
final class RawConnection: @unchecked Sendable {  // used by the thread of its script alone
    /// 1 for the server's first connection.
    let number: Int
    private var socket: CInt
    private var buffered: [UInt8] = []

    init(_ socket: CInt, number: Int) {
        self.socket = socket
        self.number = number
    }

    /// The head of the next request and its body by Content-Length, as text; nil when the client is gone.
    func readRequest() -> String? {
        let headEnd = [UInt8]("\r\n\r\n".utf8)
        while true {
            if let end = buffered.firstRange(of: headEnd) {
                let head = String(decoding: buffered[..<end.upperBound], as: UTF8.self)
                let length = head.lowercased().split(separator: "\r\n").lazy
                    .filter { $0.hasPrefix("content-length: ") }.compactMap { Int($0.dropFirst(16)) }.first
                let total = end.upperBound + (length ?? 0)
                while buffered.count < total { guard fill() else { return nil } }
                let request = String(decoding: buffered[..<total], as: UTF8.self)
                buffered.removeFirst(total)
                return request
            }
            guard fill() else { return nil }
        }
    }

    /// False when the client is gone.
    @discardableResult
    func write(_ text: String) -> Bool { write([UInt8](text.utf8)) }

    @discardableResult
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    func isWritable(withinMilliseconds limit: CInt) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
        return poll(&descriptor, 1, limit) == 1
    }

    /// Returns when the client has closed the connection.
    func waitForEnd() { while fill() { buffered = [] } }

    func close() {
        guard socket >= 0 else { return }
        Glibc.close(socket)
        socket = -1
    }

    /// Closes with a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffered.append(contentsOf: chunk[..<count])
        return true
    }
}

private final class Work: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThread(_ run: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Work(run)).toOpaque()
    pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, argument)
    pthread_detach(thread)
}
