public import HTTPTransport
internal import HTTPTypes
internal import StructuredData

/// The HTTP API of the Dapr sidecar beside this process.
///
/// Every call throws `DaprError`. Nothing is tried twice here: who calls knows whether it may be.
public struct DaprClient: Sendable {
    public struct Configuration: Sendable, Hashable {
        /// Without a slash at the end: `http://127.0.0.1:3500`.
        public var endpoint: String
        /// Sent as `dapr-api-token`; nil sends none.
        public var apiToken: String?
        /// The longest that one call may take.
        public var timeout: Duration = .seconds(30)

        public init(endpoint: String, apiToken: String? = nil) {
            self.endpoint = endpoint
            self.apiToken = apiToken
        }

        /// From `DAPR_HTTP_ENDPOINT`, or `DAPR_HTTP_PORT` (3500) on 127.0.0.1, and `DAPR_API_TOKEN`.
        public init(environment: [String: String]) {
            func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? Optional.none : $0 } }
            let endpoint = value("DAPR_HTTP_ENDPOINT") ?? "http://127.0.0.1:\(value("DAPR_HTTP_PORT") ?? "3500")"
            self.init(
                endpoint: endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint,
                apiToken: value("DAPR_API_TOKEN"))
        }
    }

    static let tokenHeader = HTTPField.Name("dapr-api-token") ?? .authorization
    private static let answerLimit = 64 << 20

    public let configuration: Configuration
    private let transport: any HTTPTransport

    /// The sidecar is on this machine: no proxy is asked for it unless `transport` does.
    public init(
        _ configuration: Configuration,
        transport: any HTTPTransport = CurlTransport(configuration: .init(proxy: .none, offersHTTP2: false))
    ) {
        self.configuration = configuration
        self.transport = transport
    }

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let body: [UInt8]
    }

    /// Sends a request to `path`, which is percent-encoded and may have a query. Gives the answer whatever its status.
    func exchange(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]? = nil, type: String = "application/json",
        headers: HTTPFields = [:]
    ) async throws(DaprError) -> Answer {
        var headers = headers
        headers[Self.tokenHeader] = configuration.apiToken
        if body != nil { headers[.contentType] = type }
        let request = ClientRequest(
            method: method, url: configuration.endpoint + path, headers: headers,
            body: body.map { .bytes($0) } ?? .none, totalTimeout: configuration.timeout)
        do throws(HTTPTransportError) {
            let response = try await transport.send(request)
            return Answer(
                status: response.status.code, headers: response.headers,
                body: try await response.body.collect(upTo: Self.answerLimit))
        } catch {
            throw .unreachable(error)
        }
    }

    /// As `exchange`, but throws what the sidecar refused.
    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]? = nil, type: String = "application/json",
        headers: HTTPFields = [:]
    ) async throws(DaprError) -> Answer {
        let answer = try await exchange(method, path, body, type: type, headers: headers)
        guard (200..<300).contains(answer.status) else { throw DaprError(answer) }
        return answer
    }
}

extension DaprClient.Answer {
    func json() throws(DaprError) -> JSON {
        do { return try JSON(parsing: body) } catch {
            throw .malformed("the sidecar's answer is not JSON: \(error)")
        }
    }
}

/// Why a call of the sidecar had no effect, or may have had none.
public enum DaprError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There was no answer. Worth trying again; whether the call took effect is not known.
    case unreachable(HTTPTransportError)
    /// The sidecar said no; `code` is its `errorCode`.
    case refused(status: Int, code: String, message: String)
    /// The sidecar's answer is not what the contract says.
    case malformed(String)
    /// The sidecar was not ready in time.
    case notReady(waited: Duration)

    init(_ answer: DaprClient.Answer) {
        let json = try? JSON(parsing: answer.body)
        self = .refused(
            status: answer.status, code: json?["errorCode"]?.string ?? "",
            message: json?["message"]?.string ?? String(decoding: answer.body.prefix(500), as: UTF8.self))
    }

    /// Another writer was first: the etag is not the stored one any more.
    public var isEtagMismatch: Bool {
        if case .refused(409, _, _) = self { true } else { false }
    }

    /// The request was larger than the sidecar takes.
    public var isTooLarge: Bool {
        if case .refused(413, _, _) = self { true } else { false }
    }

    public var description: String {
        switch self {
        case .unreachable(let error): "the Dapr sidecar does not answer: \(error)"
        case .refused(let status, let code, let message):
            "the Dapr sidecar refused with \(status) \(code): \(message)"
        case .malformed(let why): why
        case .notReady(let waited):
            "the Dapr sidecar is not ready after \(waited); see its log, and DAPR_HTTP_PORT if it listens elsewhere"
        }
    }
}

enum PercentEncoding {
    /// Everything but the unreserved characters of RFC 3986, section 2.3, as `%XX`.
    static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
