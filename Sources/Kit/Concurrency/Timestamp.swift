internal import Glibc

/// Instants as RFC 3339 section 5.6 writes them in UTC.
public enum Timestamp {
    /// Now, with microseconds: `2026-01-31T09:26:53.589793Z`. It is also the form of Kubernetes' `MicroTime`.
    public static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return text(seconds: Int(time.tv_sec), nanoseconds: Int(time.tv_nsec))
    }

    /// With microseconds. `seconds` since 1970-01-01T00:00:00Z.
    public static func text(seconds: Int, nanoseconds: Int = 0) -> String {
        text(seconds) { text in
            text.append(UInt8(ascii: "."))
            text.append(nanoseconds / 1000, width: 6)
        }
    }

    /// Without a fraction: `2026-01-31T09:26:53Z`, the form of Kubernetes' `Time`.
    public static func text(wholeSeconds seconds: Int) -> String { text(seconds) { _ in } }

    private static func text(_ seconds: Int, fraction: (inout AsciiWriter) -> Void) -> String {
        var instant = time_t(seconds)
        var parts = tm()
        gmtime_r(&instant, &parts)
        return String(unsafeUninitializedCapacity: 48) { buffer in
            var text = AsciiWriter(buffer: buffer)
            text.append(Int(parts.tm_year) + 1900, width: 4)
            text.append(UInt8(ascii: "-"))
            text.append(Int(parts.tm_mon) + 1, width: 2)
            text.append(UInt8(ascii: "-"))
            text.append(Int(parts.tm_mday), width: 2)
            text.append(UInt8(ascii: "T"))
            text.append(Int(parts.tm_hour), width: 2)
            text.append(UInt8(ascii: ":"))
            text.append(Int(parts.tm_min), width: 2)
            text.append(UInt8(ascii: ":"))
            text.append(Int(parts.tm_sec), width: 2)
            fraction(&text)
            text.append(UInt8(ascii: "Z"))
            return text.count
        }
    }
}

/// Fills memory that is large enough from the left.
private struct AsciiWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    mutating func append(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    /// In decimal digits, `width` of them or, where they do not suffice, more.
    mutating func append(_ value: Int, width: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var (digits, bound) = (1, UInt(10))
        while rest >= bound || digits < width { (digits, bound) = (digits + 1, bound &* 10) }
        for place in stride(from: count + digits - 1, through: count, by: -1) {
            buffer[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        count += digits
    }
}
