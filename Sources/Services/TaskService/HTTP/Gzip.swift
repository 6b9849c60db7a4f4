internal import CZlib

/// Compresses answers (RFC 1952).
enum Gzip {
    /// What is shorter fits into a packet or so as it is.
    static let worthwhile = 1024
    /// Most of what there is to gain, at a third of the time of the best.
    private static let level: Int32 = 4

    /// Whether the value of `Accept-Encoding` (RFC 9110, section 12.5.3) takes gzip.
    static func isAccepted(_ header: String?) -> Bool {
        for entry in (header ?? "").split(separator: ",") {
            let parts = entry.split(separator: ";").map { $0.trimmingBlanks().lowercased() }
            guard parts.first == "gzip" || parts.first == "x-gzip" || parts.first == "*" else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return quality > 0
        }
        return false
    }

    /// Nil when there is no memory for it.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        let bound = Int(zlib_gzip_bound(UInt(bytes.count)))
        let result = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            count = bytes.withUnsafeBufferPointer { input in
                Int(zlib_gzip(input.baseAddress, UInt(input.count), output.baseAddress, UInt(bound), level))
            }
        }
        return result.isEmpty ? nil : result
    }
}
