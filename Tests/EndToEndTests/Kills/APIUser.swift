import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData

/// Somebody with an account, who talks to the API as the web page does: again until it is done.
struct APIUser: Sendable {
    /// An answer that a client cannot mend by asking again.
    struct Refused: Error, CustomStringConvertible { let description: String }

    private static let password = "correct horse battery staple"
    /// A connection that ends under way is the test's everyday; what is kept idle would end as often.
    private static let transport = CurlTransport(configuration: .init(proxy: .none))

    let site: String
    let email: String
    let id: String
    let token: String

    /// Makes an account and signs in.
    static func signUp(_ name: String, at site: String) async throws -> APIUser {
        let login: JSON = ["email": .string("\(name)@example.com"), "password": .string(password)]
        let stranger = APIUser(site: site, email: "", id: "", token: "")
        let user = try await stranger.insist(.post, "/v1/accounts", login)
        let session = try await stranger.insist(.post, "/v1/sessions", login)
        return APIUser(
            site: site, email: "\(name)@example.com", id: user["id"]?.string ?? "",
            token: session["token"]?.string ?? "")
    }

    /// Sends the request until it is answered with success; with one Idempotency-Key, so that a POST is done once even
    /// if its first answer was lost.
    @discardableResult
    func insist(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        var request = ClientRequest(
            method: method, url: site + path, connectTimeout: .seconds(2), totalTimeout: .seconds(15))
        if !token.isEmpty { request.headers[.authorization] = "Bearer \(token)" }
        if let body {
            request.headers[.contentType] = "application/json"
            request.body = .bytes(body.encoded())
        }
        if let key = HTTPField.Name("Idempotency-Key") { request.headers[key] = UUID().uuidString }
        while true {
            if let answer = try await Self.answer(to: request) { return answer }
            // Nobody tells when what is down is back.
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Nil when there was none, or one that says to try again.
    private static func answer(to request: ClientRequest) async throws -> JSON? {
        do {
            let response = try await transport.send(request)
            let bytes = try await response.body.collect(upTo: 64 << 20)
            switch response.status.code {
            case 200..<300: return bytes.isEmpty ? .null : try JSON(parsing: bytes)
            case 429, 502, 503, 504: return nil
            default:
                let text = String(decoding: bytes, as: UTF8.self)
                throw Refused(description: "\(request.method) \(request.url): \(response.status) \(text)")
            }
        } catch is HTTPTransportError where !Task.isCancelled {
            return nil
        }
    }

    /// All items of a list that goes on behind `nextCursor`.
    func list(_ path: String) async throws -> [JSON] {
        var items: [JSON] = []
        var cursor = ""
        while true {
            let page = try await insist(.get, path + cursor)
            items += page["items"]?.array ?? []
            guard let next = page["nextCursor"]?.string else { return items }
            cursor = "&cursor=\(next)"
        }
    }

    /// All changes from the beginning on.
    func changes() async throws -> [JSON] {
        var items: [JSON] = []
        var after = ""
        while true {
            let page = try await insist(.get, "/v1/changes?limit=200\(after)")
            items += page["items"]?.array ?? []
            guard page["more"] == true else { return items }
            after = "&after=\(page["cursor"]?.string ?? "")"
        }
    }
}
