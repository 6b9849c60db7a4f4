internal import HTTPTypes

/// A request checked and put the way libcurl wants it: pure.
struct RequestPlan: Sendable {
    enum Kind: Equatable {
        case withoutBody
        case head
        case withBody
    }

    let url: String
    /// `host:port` for messages.
    let authority: String
    let method: String
    let kind: Kind
    let body: [UInt8]
    let headerLines: [String]
    /// libcurl's `HOST:PORT:CONNECT-TO-HOST:CONNECT-TO-PORT`, when the TLS name is not the host to connect to.
    let connectTo: String?
    let isReplayable: Bool
    /// HTTP/2 is chosen by TLS alone.
    let mayShareConnection: Bool

    init(_ request: ClientRequest, tlsServerName: String?) throws(HTTPTransportError) {
        let target = try RequestURL(request.url)
        authority = "\(target.host):\(target.port)"
        method = request.method.rawValue
        isReplayable = request.isIdempotent
        mayShareConnection = target.isHTTPS
        body =
            switch request.body {
            case .none: []
            case .bytes(let bytes): bytes
            }
        kind = try Self.kind(method: request.method, hasBody: !body.isEmpty)
        var lines = try Self.headerLines(request.headers, bodyCount: body.count)
        if let tlsServerName, target.isHTTPS {
            url = "https://\(tlsServerName):\(target.port)\(target.pathAndQuery)"
            connectTo = "\(tlsServerName):\(target.port):\(target.host):\(target.port)"
            if !lines.contains(where: { $0.lowercased().hasPrefix("host:") }) {
                lines.append("Host: \(target.hostHeader)")
            }
        } else {
            url = request.url
            connectTo = nil
        }
        headerLines = lines
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
        _ headers: HTTPFields, bodyCount: Int
    ) throws(HTTPTransportError) -> [String] {
        // libcurl adds these by itself when they are not named; without a value they are left out.
        var lines = ["Expect:"]
        if !headers.contains(.accept) { lines.append("Accept:") }
        if !headers.contains(.contentType) { lines.append("Content-Type:") }
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
struct RequestURL: Sendable {
    let isHTTPS: Bool
    /// Without the brackets of an IPv6 address.
    let host: String
    let port: Int
    /// As written in the URL.
    let hostHeader: String
    /// From the first `/` or `?` on; may be empty.
    let pathAndQuery: String

    init(_ text: String) throws(HTTPTransportError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidURL("the URL has a blank, a control character or a letter beyond ASCII: percent-encode it")
        }
        guard let schemeEnd = text.range(ofScheme: ["https://", "http://"]) else {
            throw .invalidURL("\"\(text)\" is not an absolute http or https URL")
        }
        isHTTPS =
            text.utf8.count > 5 && text.utf8[text.utf8.index(text.startIndex, offsetBy: 4)] | 0x20 == UInt8(ascii: "s")
        let rest = text[schemeEnd...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        pathAndQuery = String(rest[authorityEnd...])
        hostHeader = String(authority)
        guard !authority.contains("@") else {
            throw .invalidURL("the URL has a user name in it: send an Authorization header instead")
        }
        let portStart: Substring
        if authority.first == "[", let close = authority.firstIndex(of: "]") {
            host = String(authority[..<authority.index(after: close)])
            portStart = authority[authority.index(after: close)...]
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            host = String(authority[..<colon])
            portStart = authority[colon...]
        }
        guard !host.isEmpty, host != "[]" else { throw .invalidURL("\"\(text)\" names no host") }
        guard !portStart.isEmpty else {
            port = isHTTPS ? 443 : 80
            return
        }
        guard portStart.first == ":", let number = UInt16(portStart.dropFirst()), number > 0 else {
            throw .invalidURL("\"\(text)\" has no valid port after the host")
        }
        port = Int(number)
    }
}

extension String {
    /// The end of the first of `schemes` that this begins with, letters of either case.
    fileprivate func range(ofScheme schemes: [String]) -> Index? {
        for scheme in schemes where prefix(scheme.count).lowercased() == scheme {
            return index(startIndex, offsetBy: scheme.count)
        }
        return nil
    }
}
