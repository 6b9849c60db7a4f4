import Glibc

/// A connection on which a test says what it likes, as slowly as it likes. Calls block: for threads of their own.
final class RawClient: Sendable {
    struct Failure: Error { let number: Int32 }

    private let descriptor: Int32

    /// - Parameters:
    ///   - receiveBuffer: of the kernel's, in bytes; small for a client that is to take little.
    ///   - segment: the most that the server's kernel sends at once, in bytes. It keeps less for who gets less at once: by
    ///     default, megabytes for a client on the same machine.
    init(port: Int, receiveBuffer: Int32? = nil, segment: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        if var size = segment {
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_MAXSEG, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        // A server that neither answers nor closes fails a test rather than holding it up.
        setPatience(.seconds(120), SO_RCVTIMEO)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(descriptor)
            throw Failure(number: errno)
        }
    }

    deinit { close(descriptor) }

    private func setPatience(_ patience: Duration, _ option: Int32) {
        var time = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// False when the server has closed the connection, as it may when it has seen enough while there is more to send, or
    /// takes nothing for `patience`, of whole seconds.
    @discardableResult
    func send(_ bytes: some Sequence<UInt8>, patience: Duration = .seconds(120)) -> Bool {
        setPatience(patience, SO_SNDTIMEO)
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// What has come; nothing at the end.
    func receive(_ most: Int = 64 << 10) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: most)
        let count = recv(descriptor, &buffer, most, 0)
        if count < 0, errno == EAGAIN { throw Failure(number: errno) }
        return Array(buffer.prefix(max(0, count)))
    }

    /// All until the server closes the connection. Throws when it does not.
    func rest() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let bytes = try receive()
            guard !bytes.isEmpty else { return all }
            all += bytes
        }
    }

    /// Whether there is something to read, or the end.
    var hasNews: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) >= 0 || errno != EAGAIN
    }

    func pause(_ duration: Duration) { usleep(UInt32(duration / .microseconds(1))) }
}

extension RawClient {
    /// What the server says to `text` until it closes the connection.
    static func ask(_ text: String, port: Int) throws -> String {
        let client = try RawClient(port: port)
        client.send(text.utf8)
        return String(decoding: try client.rest(), as: UTF8.self)
    }

    /// What the server says to a client that reads nothing before it has sent `head` and a hundred megabytes; nil when
    /// it is cut off before that.
    static func pour(_ head: String, port: Int) throws -> String? {
        let client = try RawClient(port: port)
        client.send(head.utf8)
        let piece = [UInt8](repeating: UInt8(ascii: " "), count: 64 << 10)
        for _ in 0..<1600 {
            guard client.send(piece) else { return nil }
        }
        return String(decoding: try client.rest(), as: UTF8.self)
    }
}
