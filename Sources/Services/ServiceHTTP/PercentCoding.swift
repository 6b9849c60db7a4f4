/// Percent-encoding of URLs (RFC 3986, section 2.1), and of queries as browsers' forms send them.
public enum PercentCoding {
    /// Nil when an escape is broken, or what it stands for is not UTF-8.
    ///
    /// - Parameter isQuery: `+` stands for a space (WHATWG URL, application/x-www-form-urlencoded).
    public static func decode(_ text: some StringProtocol, isQuery: Bool) -> String? {
        let source = Array(text.utf8)
        let (percent, plus) = (UInt8(ascii: "%"), UInt8(ascii: "+"))
        guard source.contains(where: { $0 == percent || $0 == plus }) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count)
        var place = 0
        while place < source.count {
            switch source[place] {
            case plus where isQuery: bytes.append(UInt8(ascii: " "))
            case percent:
                guard place + 2 < source.count, let high = digit(source[place + 1]), let low = digit(source[place + 2])
                else { return nil }
                bytes.append(high << 4 | low)
                place += 2
            case let byte: bytes.append(byte)
            }
            place += 1
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
