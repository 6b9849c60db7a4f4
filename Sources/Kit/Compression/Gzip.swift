internal import CZlib

/// The gzip format (RFC 1952), of texts that are in memory.
public enum Gzip {
    /// - Parameter level: 1, the fastest, to 9, the smallest.
    /// - Returns: one member; the same bytes for the same bytes. Nil when there is no memory for it, or for 4 GiB and more.
    public static func compress(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8]? {
        guard bytes.count <= Int(UInt32.max) else { return nil }
        let bound = zlib_gzip_bound(UInt(bytes.count))
        let result = [UInt8](unsafeUninitializedCapacity: Int(bound)) { output, count in
            count = bytes.withUnsafeBufferPointer { input in
                Int(zlib_gzip(input.baseAddress, UInt(input.count), output.baseAddress, bound, level))
            }
        }
        return result.isEmpty ? nil : result
    }
}
