/// A place in a trace (W3C Trace Context, `traceparent`).
struct TraceContext {
    private let trace: String
    private let flags: String

    /// - Parameter parent: of a request; without one that can be read, a new trace begins, which is not sampled.
    init(parent: String?) {
        let parts = parent?.split(separator: "-", omittingEmptySubsequences: false) ?? []
        guard parts.count == 4, parts[0] == "00", Self.isID(parts[1], 32), Self.isID(parts[2], 16),
            Self.isHex(parts[3], 2)
        else {
            trace = Self.hex(.random(in: 1...(.max))) + Self.hex(.random(in: 0...(.max)))
            flags = "00"
            return
        }
        (trace, flags) = (String(parts[1]), String(parts[3]))
    }

    /// The next step, another one at each call.
    func child() -> String { "00-\(trace)-\(Self.hex(.random(in: 1...(.max))))-\(flags)" }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// All zeros are none.
    private static func isID(_ text: Substring, _ count: Int) -> Bool {
        isHex(text, count) && text.utf8.contains { $0 != UInt8(ascii: "0") }
    }

    private static func isHex(_ text: Substring, _ count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
