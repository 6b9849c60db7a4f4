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
        "\(wholeSeconds(seconds)).\(pad(nanoseconds / 1000, 6))Z"
    }

    /// Without a fraction: `2026-01-31T09:26:53Z`, the form of Kubernetes' `Time`.
    public static func text(wholeSeconds seconds: Int) -> String { "\(wholeSeconds(seconds))Z" }

    private static func wholeSeconds(_ seconds: Int) -> String {
        var instant = time_t(seconds)
        var parts = tm()
        gmtime_r(&instant, &parts)
        return "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1, 2))-\(pad(Int(parts.tm_mday), 2))"
            + "T\(pad(Int(parts.tm_hour), 2)):\(pad(Int(parts.tm_min), 2)):\(pad(Int(parts.tm_sec), 2))"
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
