import Glibc

/// TCP ports of 127.0.0.1.
public enum LoopbackPort {
    /// One that nobody listens on right now, for a program that is told its port before it listens.
    ///
    /// It lies below those that the system gives to connections and to who asks for any port (`ip_local_port_range`,
    /// 32768 and up), so that none of them takes it before the program does, nor between two runs of it.
    public static func free() throws(LocalPostgresError) -> Int {
        var obstacle = ""
        for _ in 0..<1000 {
            let port = Int.random(in: 10_000..<32_768)
            guard let met = Self.obstacle(port) else { return port }
            obstacle = met
        }
        throw .start("no free port between 10000 and 32767: \(obstacle)")
    }

    /// Why nobody can listen on `port`, such as `Address already in use`; nil when one can.
    public static func obstacle(_ port: Int) -> String? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return String(cString: strerror(errno)) }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 ? nil : String(cString: strerror(errno))
    }
}
