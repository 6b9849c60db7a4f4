internal import Compression
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import ServiceHTTP
internal import StructuredData

/// What an endpoint answers when all went well.
struct Answer: Sendable {
    /// Writes a body that is too large to be held, some bytes at a time.
    typealias Stream = @Sendable (_ write: ([UInt8]) async throws -> Void) async throws -> Void

    var status: HTTPResponse.Status
    var headers: HTTPFields
    /// JSON, or nothing.
    var body: [UInt8]
    /// Stands in for `body`.
    var stream: Stream?

    init(_ status: HTTPResponse.Status, headers: HTTPFields = [:]) {
        self.status = status
        self.headers = headers
        body = []
    }

    init(_ status: HTTPResponse.Status, _ json: JSON, headers: HTTPFields = [:]) {
        self.init(status, json: json.encoded(), headers: headers)
    }

    /// JSON as it stands.
    init(_ status: HTTPResponse.Status, json: [UInt8], headers: HTTPFields = [:]) {
        self.init(status, headers: headers)
        body = json
        self.headers[.contentType] = "application/json"
    }

    /// A resource at a version. One that the client has already is not sent again.
    init(_ json: JSON, version: Int, to call: Call) {
        let tag = EntityTag.text(version)
        if EntityTagCondition(call.request.headers[.ifNoneMatch])?.matchesWeakly(tag) == true {
            self.init(.notModified, headers: [.eTag: tag])
        } else {
            self.init(.ok, json, headers: [.eTag: tag])
        }
    }

    func with(_ name: HTTPField.Name, _ value: String) -> Answer {
        var answer = self
        answer.headers[name] = value
        return answer
    }

    /// What is shorter fits into a packet or so as it is.
    private static let worthCompressing = 1024
    /// Most of what there is to gain, at a third of the time of the best.
    private static let compression: Int32 = 4

    /// The answer on the wire, compressed where that is worth it and the client takes it.
    func response(to request: Request, _ logger: Logger) -> Response {
        var (headers, body) = (headers, body)
        // It is somebody's, and the browser may be another's next.
        headers[.cacheControl] = "no-store"
        if let stream { return Response(status: status, headers: headers, body: .stream(logger, stream)) }
        if body.count >= Self.worthCompressing {
            headers[.vary] = "Accept-Encoding"
            if Gzip.isAccepted(by: request.headers[.acceptEncoding]),
                let packed = Gzip.compress(body, level: Self.compression)
            {
                headers[.contentEncoding] = "gzip"
                body = packed
            }
        }
        return Response(
            status: status, headers: headers,
            body: body.isEmpty ? .init() : .init(byteBuffer: ByteBuffer(bytes: body)))
    }
}

extension HTTPField.Name {
    /// Which operation to name at `/v1/undo`.
    static let todoOperation = known("Todo-Operation")
    /// What the bearer's token is good for, with blanks in between: the audit service asks for it.
    static let todoScopes = known("Todo-Scopes")
    /// draft-ietf-httpapi-idempotency-key-header.
    static let idempotencyKey = known("Idempotency-Key")
    static let idempotencyReplayed = known("Idempotency-Replayed")
    static let forwardedProto = known("X-Forwarded-Proto")
    static let forwardedFor = known("X-Forwarded-For")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no token (RFC 9110, 5.6.2)") }
        return name
    }
}
