internal import HTTPTypes
internal import StructuredData

/// A request to a sidecar's API.
struct SidecarRequest: Sendable {
    var method: HTTPRequest.Method
    /// The parts of the path, decoded.
    var path: [String]
    var query: [String: String]
    var headers: HTTPFields
    var body: [UInt8] = []

    init(method: HTTPRequest.Method, target: String, headers: HTTPFields) {
        self.method = method
        self.headers = headers
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = (parts.first ?? "").split(separator: "/").map { Self.decoded($0) }
        query = [:]
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[Self.decoded(sides[0], isQuery: true)] = sides.count == 2 ? Self.decoded(sides[1], isQuery: true) : ""
        }
    }

    /// The query's `metadata.KEY=VALUE`.
    var metadata: [String: String] {
        var result: [String: String] = [:]
        for (name, value) in query where name.hasPrefix("metadata.") { result[String(name.dropFirst(9))] = value }
        return result
    }

    private static func decoded(_ text: Substring, isQuery: Bool = false) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(isQuery && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

struct SidecarAnswer: Sendable {
    var status: Int
    var headers: HTTPFields = [:]
    var body: [UInt8] = []

    static let done = SidecarAnswer(status: 204)

    static func json(_ json: JSON, status: Int = 200) -> SidecarAnswer {
        SidecarAnswer(status: status, headers: [.contentType: "application/json"], body: json.encoded())
    }

    static func error(_ status: Int, _ code: String, _ message: String) -> SidecarAnswer {
        json(["errorCode": .string(code), "message": .string(message)], status: status)
    }
}
