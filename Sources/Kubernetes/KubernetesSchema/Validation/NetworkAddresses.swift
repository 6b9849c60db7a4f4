/// An IP address, version 4 or 6, as Go's `netip.ParseAddr` reads it (without zones).
struct IPAddress: Sendable, Hashable {
    let bytes: [UInt8]

    var isVersion4: Bool { bytes.count == 4 }

    init?(_ text: some StringProtocol) {
        if text.contains(":") {
            guard let bytes = Self.version6(String(text)) else { return nil }
            self.bytes = bytes
        } else {
            guard let bytes = Self.version4(text) else { return nil }
            self.bytes = bytes
        }
    }

    private static func version4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let bytes = parts.compactMap { part -> UInt8? in
            // Leading zeros are refused: some read them as octal.
            let isPlain = part.utf8.allSatisfy { (48...57).contains($0) } && (part.count == 1 || part.first != "0")
            return isPlain ? UInt8(part) : nil
        }
        return bytes.count == 4 ? bytes : nil
    }

    private static func version6(_ text: String) -> [UInt8]? {
        let halves = text.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count <= 2, let head = groups(halves[0]) else { return nil }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
        return head + Array(repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: Substring) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.contains("."), index == parts.count - 1, let tail = version4(part) {
                bytes += tail
            } else {
                guard (1...4).contains(part.count), part.utf8.first != UInt8(ascii: "+"),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }
}

/// An address and the length of its network's prefix: `10.0.0.0/8`.
struct CIDR: Sendable, Hashable {
    let address: IPAddress
    let prefixLength: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
            (0...address.bytes.count * 8).contains(length), String(length) == parts[1]
        else { return nil }
        self.address = address
        prefixLength = length
    }

    func contains(_ other: IPAddress) -> Bool {
        guard other.bytes.count == address.bytes.count else { return false }
        return (0..<prefixLength).allSatisfy { bit in
            let difference = other.bytes[bit / 8] ^ address.bytes[bit / 8]
            return difference & (0x80 >> UInt8(bit % 8)) == 0
        }
    }
}

/// The parts of a URL (RFC 3986), unescaped as little as comparing them needs.
struct URLParts: Sendable, Hashable {
    var scheme = ""
    var host = ""
    var path = ""
    var query = ""

    var isAbsolute: Bool { !scheme.isEmpty }
    /// The host without port and brackets.
    var hostName: String {
        if host.hasPrefix("[") { return String(host.dropFirst().prefix { $0 != "]" }) }
        return String(host.prefix { $0 != ":" })
    }
    var port: String {
        let afterName = host.hasPrefix("[") ? host.drop { $0 != "]" }.dropFirst() : host.drop { $0 != ":" }
        return String(afterName.dropFirst())
    }

    /// Nil for what no URL may hold: blanks, control characters, an escape that is none, a port that is none.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), Self.escapesAreWhole(text) else {
            return nil
        }
        var rest = text.prefix { $0 != "#" }
        if let colon = rest.firstIndex(of: ":"), rest[..<colon].first?.isLetter == true,
            rest[..<colon].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        {
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if rest.hasPrefix("//") {
            let authority = rest.dropFirst(2).prefix { $0 != "/" }
            rest = rest.dropFirst(2 + authority.count)
            host = String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? "")
            guard port.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        }
        path = String(rest)
    }

    private static func escapesAreWhole(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.indices.allSatisfy { index in
            bytes[index] != UInt8(ascii: "%")
                || (index + 2 < bytes.count && Character(Unicode.Scalar(bytes[index + 1])).isHexDigit
                    && Character(Unicode.Scalar(bytes[index + 2])).isHexDigit)
        }
    }
}

extension IPAddress {
    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The canonical text: version 6 in lower case with the longest run of zeros left out (RFC 5952).
    var text: String {
        if isVersion4 { return bytes.map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > longest.count { longest = start..<end }
            start = max(end, start + 1)
        }
        func joined(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        guard longest.count > 1 else { return joined(groups[...]) }
        return joined(groups[..<longest.lowerBound]) + "::" + joined(groups[longest.upperBound...])
    }
}

extension CIDR {
    init(address: IPAddress, prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    /// The network: the address with the bits behind the prefix cleared.
    var masked: CIDR {
        var bytes = address.bytes
        for bit in prefixLength..<(bytes.count * 8) { bytes[bit / 8] &= ~(0x80 >> UInt8(bit % 8)) }
        return CIDR(address: IPAddress(bytes: bytes), prefixLength: prefixLength)
    }

    func contains(_ other: CIDR) -> Bool {
        other.prefixLength >= prefixLength && contains(other.address)
    }
}
