import Concurrency
import Foundation
import Glibc

/// A network cable between a browser and a server that a test can pull out: connections end, new ones are refused, and
/// later all is as before. It passes bytes on as they are.
public final class Cable: Sendable {
    /// Where the browser finds the server: `http://127.0.0.1:<port>`.
    public let port: UInt16
    private let target: UInt16
    private struct State: Sendable {
        var listener: Int32
        var sockets: Set<Int32> = []
        var losesAnswers = false
    }
    private let state: Lock<State>

    /// - Parameter target: the server's port on 127.0.0.1.
    public init(to target: UInt16) throws {
        self.target = target
        let listener = try Self.listen(on: 0)
        port = Self.port(of: listener)
        state = Lock(State(listener: listener))
        accept(on: listener)
    }

    deinit { unplug() }

    /// From now on what the browser sends arrives, and what the server answers does not, until the cable is unplugged.
    public func loseAnswers() { state.withLock { $0.losesAnswers = true } }

    public func unplug() {
        state.withLock { state in
            state.losesAnswers = false
            if state.listener >= 0 { shutdown(state.listener, Int32(SHUT_RDWR)) }
            state.listener = -1
            for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
    }

    public func plugIn() throws {
        let listener = try Self.listen(on: port)
        state.withLock { $0.listener = listener }
        accept(on: listener)
    }

    private func accept(on listener: Int32) {
        Thread.detachNewThread { [weak self] in
            while true {
                let client = Self.accept(listener)
                guard client >= 0 else { break }
                guard let self, let server = try? Self.connect(to: self.target) else {
                    close(client)
                    continue
                }
                self.join(client, server)
            }
            close(listener)
        }
    }

    private func join(_ client: Int32, _ server: Int32) {
        let isPlugged = state.withLock { state in
            guard state.listener >= 0 else { return false }
            state.sockets.formUnion([client, server])
            return true
        }
        if !isPlugged { for socket in [client, server] { shutdown(socket, Int32(SHUT_RDWR)) } }
        let halves = Lock(2)
        for (from, to) in [(client, server), (server, client)] {
            Thread.detachNewThread { [weak self] in
                Self.pass(from, to) { to == client && self?.state.withLock { $0.losesAnswers } == true }
                shutdown(to, Int32(SHUT_WR))
                let isLast = halves.withLock { halves in
                    halves -= 1
                    return halves == 0
                }
                guard isLast else { return }
                self?.state.withLock { $0.sockets.subtract([client, server]) }
                close(client)
                close(server)
            }
        }
    }

    private static func pass(_ from: Int32, _ to: Int32, isLost: () -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            if isLost() { continue }
            var sent = 0
            while sent < count {
                let written = buffer[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { return }
                sent += written
            }
        }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        return address
    }

    private static func accept(_ listener: Int32) -> Int32 {
        let client = Glibc.accept(listener, nil, nil)
        if client >= 0 { _ = fcntl(client, F_SETFD, FD_CLOEXEC) }
        return client
    }

    private static func socket() -> Int32 {
        Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    private static func listen(on port: UInt16) throws -> Int32 {
        let listener = socket()
        var reuse: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = address(port)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        guard bound == 0, Glibc.listen(listener, 128) == 0 else {
            close(listener)
            throw WebDriverError(error: "cable", message: "port \(port): \(String(cString: strerror(errno)))")
        }
        return listener
    }

    private static func port(of listener: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func connect(to port: UInt16) throws -> Int32 {
        let client = socket()
        var address = address(port)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(client, $0, length) }
        }
        guard status == 0 else {
            close(client)
            throw WebDriverError(error: "cable", message: "the server does not listen")
        }
        return client
    }
}
