import Foundation
import Glibc

/// A blocking HTTP/1.1 connection (RFC 9112) to the loopback, for answers with a Content-Length: so light that what is
/// measured is the server.
final class HTTPConnection {
    struct Reply {
        var status = 0
        var body: ArraySlice<UInt8> = []
    }

    private let socket: Int32
    private var buffer = [UInt8](repeating: 0, count: 256 << 10)

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(socket, generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(socket)
            throw Failure("nobody listens at port \(port)")
        }
        var (on, limit) = (CInt(1), timeval(tv_sec: 60, tv_usec: 0))
        setsockopt(socket, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(socket) }

    func send(_ method: String, _ path: String, token: String, body: String? = nil) throws -> Reply {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(token)\r\n"
        if let body {
            text += "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        } else {
            text += method == "GET" ? "\r\n" : "Content-Length: 0\r\n\r\n"
        }
        try text.withUTF8 { bytes in
            guard Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count else {
                throw Failure("\(method) \(path) could not be sent (errno \(errno))")
            }
        }
        return try receive("\(method) \(path)")
    }

    private func receive(_ what: String) throws -> Reply {
        var (count, headEnd, end) = (0, 0, Int.max)
        while count < end {
            if count == buffer.count { buffer += [UInt8](repeating: 0, count: count) }
            let received = buffer.withUnsafeMutableBytes { bytes in
                recv(socket, bytes.baseAddress?.advanced(by: count), bytes.count - count, 0)
            }
            guard received > 0 else { throw Failure("no answer to \(what) (errno \(received < 0 ? errno : 0))") }
            count += received
            if headEnd == 0, let found = headLength(in: count) {
                headEnd = found
                end = try found + contentLength(in: found, what)
            }
        }
        return Reply(status: Int(String(decoding: buffer[9..<12], as: UTF8.self)) ?? 0, body: buffer[headEnd..<end])
    }

    /// Up to and with the empty line.
    private func headLength(in count: Int) -> Int? {
        guard count >= 4 else { return nil }
        return (4...count).first { buffer[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }

    private func contentLength(in headLength: Int, _ what: String) throws -> Int {
        let head = String(decoding: buffer[..<headLength], as: UTF8.self).lowercased()
        guard let name = head.range(of: "content-length:"),
            let length = Int(head[name.upperBound...].prefix { $0 != "\r\n" }.trimmingCharacters(in: .whitespaces))
        else { throw Failure("the answer to \(what) has no Content-Length:\n\(head)") }
        return length
    }
}
