internal import HTTPTypes

/// A request checked and put the way libcurl wants it: pure.
struct RequestPlan: Sendable {
    enum Kind: Equatable {
        case withoutBody
        case head
        case withBody
    }

    let url: String
    let target: RequestURL
    let method: String
    let kind: Kind
    let body: [UInt8]
    let headerLines: [String]
    /// libcurl's `HOST:PORT:CONNECT-TO-HOST:CONNECT-TO-PORT`, when the host to connect to is not that of the URL.
    let connectTo: String?
    let isReplayable: Bool
    /// HTTP/2 is chosen by TLS alone.
    let mayShareConnection: Bool

    init(_ request: ClientRequest, tlsServerName: String?) throws(HTTPTransportError) {
        target = try RequestURL(request.url)
        method = request.method.rawValue
        isReplayable = request.isIdempotent
        mayShareConnection = target.isHTTPS
        body =
            switch request.body {
            case .none: []
            case .bytes(let bytes): bytes
            }
        kind = try Self.kind(method: request.method, hasBody: !body.isEmpty)
        var lines = try Self.headerLines(request.headers, kind: kind, bodyCount: body.count)
        // Without host and port before it, it holds for every URL: also where libcurl reads the host otherwise than we.
        var pinned: String?
        if let address = request.address { pinned = "::\(try Self.bracketed(address)):\(target.port)" }
        if let tlsServerName, target.isHTTPS {
            url = "https://\(tlsServerName):\(target.port)\(target.pathAndQuery)"
            connectTo = pinned ?? "\(tlsServerName):\(target.port):\(target.host):\(target.port)"
            if !lines.contains(where: { $0.lowercased().hasPrefix("host:") }) {
                lines.append("Host: \(target.hostHeader)")
            }
        } else {
            url = request.url
            connectTo = pinned
        }
        headerLines = lines
    }

    private static func bracketed(_ address: String) throws(HTTPTransportError) -> String {
        let isAddress = address.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard isAddress, !address.isEmpty else { throw .invalidRequest("\"\(address)\" is not an IP address") }
        return address.contains(":") ? "[\(address)]" : address
    }

    private static func kind(method: HTTPRequest.Method, hasBody: Bool) throws(HTTPTransportError) -> Kind {
        switch method {
        case .head:
            if hasBody { throw .invalidRequest("a HEAD request cannot have a body") }
            return .head
        case .connect: throw .invalidRequest("CONNECT is not a request to a server")
        case .post, .put, .patch: return .withBody  // an empty body is announced as such: Content-Length: 0
        default: return hasBody ? .withBody : .withoutBody
        }
    }

    private static func headerLines(
        _ headers: HTTPFields, kind: Kind, bodyCount: Int
    ) throws(HTTPTransportError) -> [String] {
        // libcurl adds these by itself when they are not named; without a value they are left out.
        var lines: [String] = []
        lines.reserveCapacity(headers.count + 3)
        if !headers.contains(.accept) { lines.append("Accept:") }
        if kind == .withBody {
            lines.append("Expect:")
            if !headers.contains(.contentType) { lines.append("Content-Type:") }
        }
        for field in headers {
            switch field.name {
            case .contentLength:
                guard Int(field.value) == bodyCount else {
                    throw .invalidRequest("Content-Length \(field.value) is not the body's \(bodyCount) bytes")
                }
                continue
            case .transferEncoding, .connection, .upgrade:
                throw .invalidRequest("the header \(field.name) is the transport's own: leave it out")
            default: break
            }
            guard field.value.utf8.allSatisfy({ ($0 >= 0x20 || $0 == 0x09) && $0 != 0x7F }) else {
                throw .invalidRequest("the header \(field.name) has a control character in its value")
            }
            // "Name;" is how libcurl is told to send a header without a value.
            lines.append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        return lines
    }
}

/// The parts of an absolute `http` or `https` URL that a request needs (RFC 3986, section 3).
public struct RequestURL: Sendable {
    public let isHTTPS: Bool
    /// As written, an IPv6 address in its brackets.
    public let host: String
    public let port: Int
    /// As written in the URL.
    let hostHeader: Substring
    /// From the first `/` or `?` on; may be empty.
    let pathAndQuery: Substring

    /// `host:port` for messages.
    var authority: String { "\(host):\(port)" }

    /// Throws `invalidURL` for anything else, and for one that has a user name or a character that must be encoded.
    public init(_ text: String) throws(HTTPTransportError) {
        // All work is done on bytes: a Character costs a hundred times more, and this is done for each request.
        let bytes = text.utf8
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidURL("the URL has a blank, a control character or a letter beyond ASCII: percent-encode it")
        }
        guard let schemeEnd = bytes.end(ofPrefix: "https://") ?? bytes.end(ofPrefix: "http://") else {
            throw .invalidURL("\"\(text)\" is not an absolute http or https URL")
        }
        isHTTPS = bytes.distance(from: bytes.startIndex, to: schemeEnd) == 8
        let end = bytes[schemeEnd...].firstIndex {
            $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#")
        }
        let authorityEnd = end ?? bytes.endIndex
        hostHeader = text[schemeEnd..<authorityEnd]
        pathAndQuery = text[authorityEnd...]
        let authority = hostHeader.utf8
        guard !authority.contains(UInt8(ascii: "@")) else {
            throw .invalidURL("the URL has a user name in it: send an Authorization header instead")
        }
        let hostEnd =
            if authority.first == UInt8(ascii: "["), let close = authority.firstIndex(of: UInt8(ascii: "]")) {
                authority.index(after: close)
            } else {
                authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.endIndex
            }
        host = String(hostHeader[..<hostEnd])
        guard !host.isEmpty, host != "[]" else { throw .invalidURL("\"\(text)\" names no host") }
        let portPart = hostHeader[hostEnd...]
        guard !portPart.isEmpty else {
            port = isHTTPS ? 443 : 80
            return
        }
        guard portPart.utf8.first == UInt8(ascii: ":"), let number = UInt16(portPart.dropFirst()), number > 0 else {
            throw .invalidURL("\"\(text)\" has no valid port after the host")
        }
        port = Int(number)
    }
}

extension String.UTF8View {
    /// The end of `prefix`, which is in lower case, if this begins with it in letters of either case.
    fileprivate func end(ofPrefix prefix: StaticString) -> Index? {
        var position = startIndex
        for offset in 0..<prefix.utf8CodeUnitCount {
            guard position < endIndex else { return nil }
            let byte = self[position]
            let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            guard lower == prefix.utf8Start[offset] else { return nil }
            formIndex(after: &position)
        }
        return position
    }
}
