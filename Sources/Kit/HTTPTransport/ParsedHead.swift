internal import HTTPTypes

/// A response's status line and header lines (RFC 9112, sections 4 and 5), as libcurl hands them out: it has checked
/// the status line, and writes HTTP/2 heads in the same form.
struct ParsedHead {
    let status: HTTPResponse.Status
    private(set) var headers = HTTPFields()

    init(_ bytes: [UInt8]) throws(HTTPTransportError) {
        var lines = bytes.split(separator: UInt8(ascii: "\n")).makeIterator()
        guard let first = lines.next(), let code = Self.statusCode(of: first) else {
            throw .malformedResponse("the response has no status line")
        }
        status = HTTPResponse.Status(code: code, reasonPhrase: Self.reason(of: first))
        while let line = lines.next() {
            if line.first == UInt8(ascii: " ") || line.first == UInt8(ascii: "\t") {
                try unfold(line)
            } else {
                try append(line)
            }
        }
    }

    /// The three digits after `HTTP/x.y `.
    static func statusCode(of line: some Collection<UInt8>) -> Int? {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let digits = line[space...].dropFirst().prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func reason(of line: ArraySlice<UInt8>) -> String {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return "" }
        return String(decoding: trimmed(line[space...].dropFirst(4)), as: UTF8.self)
    }

    private mutating func append(_ line: ArraySlice<UInt8>) throws(HTTPTransportError) {
        let content = Self.trimmed(line)
        if content.isEmpty { return }
        guard let colon = content.firstIndex(of: UInt8(ascii: ":")),
            let name = HTTPField.Name(String(decoding: content[..<colon], as: UTF8.self))
        else { throw .malformedResponse("the response has a header line without a valid name") }
        headers.append(HTTPField(name: name, lenientValue: Self.trimmed(content[colon...].dropFirst())))
    }

    /// RFC 9112, section 5.2: an obsolete line fold is a blank.
    private mutating func unfold(_ line: ArraySlice<UInt8>) throws(HTTPTransportError) {
        guard let last = headers.last else { throw .malformedResponse("the response starts with a folded header line") }
        headers[headers.index(before: headers.endIndex)].value =
            last.value + " " + String(decoding: Self.trimmed(line), as: UTF8.self)
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        var line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line.removeLast() }
        return line
    }
}
