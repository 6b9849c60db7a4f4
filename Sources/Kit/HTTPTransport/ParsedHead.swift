internal import HTTPTypes

/// A response's status line and header lines (RFC 9112, sections 4 and 5), as libcurl hands them out: it has checked
/// the status line, and writes HTTP/2 heads in the same form.
struct ParsedHead {
    let status: HTTPResponse.Status
    private(set) var headers = HTTPFields()

    init(_ bytes: [UInt8]) throws(HTTPTransportError) {
        (status, headers) = try bytes.withUnsafeBufferPointer { bytes throws(HTTPTransportError) in
            var rest = bytes[...]
            let first = Self.line(from: &rest)
            guard let code = Self.statusCode(of: first) else {
                throw .malformedResponse("the response has no status line")
            }
            var fields: [HTTPField] = []
            fields.reserveCapacity(12)
            while !rest.isEmpty { try Self.append(Self.line(from: &rest), to: &fields) }
            var headers = HTTPFields()
            headers.replaceSubrange(headers.startIndex..<headers.startIndex, with: fields)
            return (HTTPResponse.Status(code: code, reasonPhrase: Self.reason(of: first)), headers)
        }
    }

    /// The three digits after `HTTP/x.y `.
    static func statusCode(of line: some Collection<UInt8>) -> Int? {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let digits = line[space...].dropFirst().prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    /// Up to the line feed, which is taken away too.
    private static func line(from rest: inout Bytes) -> Bytes {
        let end = rest.firstIndex(of: UInt8(ascii: "\n"))
        defer { rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...] }
        return rest[..<(end ?? rest.endIndex)]
    }

    private static func reason(of line: Bytes) -> String {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return "" }
        return String(decoding: trimmed(line[space...].dropFirst(4)), as: UTF8.self)
    }

    private static func append(_ line: Bytes, to fields: inout [HTTPField]) throws(HTTPTransportError) {
        let content = trimmed(line)
        if let first = line.first, first == 0x20 || first == 0x09 { return try unfold(content, into: &fields) }
        if content.isEmpty { return }
        guard let colon = content.firstIndex(of: UInt8(ascii: ":")),
            let name = HTTPField.Name(String(decoding: content[..<colon], as: UTF8.self))
        else { throw .malformedResponse("the response has a header line without a valid name") }
        fields.append(HTTPField(name: name, lenientValue: trimmed(content[(colon + 1)...])))
    }

    /// RFC 9112, section 5.2: an obsolete line fold is a blank.
    private static func unfold(_ content: Bytes, into fields: inout [HTTPField]) throws(HTTPTransportError) {
        guard let last = fields.last else { throw .malformedResponse("the response starts with a folded header line") }
        fields[fields.count - 1].value = last.value + " " + String(decoding: content, as: UTF8.self)
    }

    private static func trimmed(_ line: Bytes) -> Bytes {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var (start, end) = (line.startIndex, line.endIndex)
        while start < end, isBlank(line[start]) { start += 1 }
        while end > start, isBlank(line[end - 1]) { end -= 1 }
        return line[start..<end]
    }
}
