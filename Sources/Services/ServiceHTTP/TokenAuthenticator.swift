internal import Concurrency
internal import Crypto
public import FoundationEssentials
public import HTTPTransport
public import HTTPTypes
public import Hummingbird
internal import StructuredData
internal import TodoModel

/// Who sent a request, and what for.
public struct Principal: Sendable, Hashable {
    public var user: UUID
    public var scopes: Set<String>

    public init(user: UUID, scopes: Set<String>) {
        self.user = user
        self.scopes = scopes
    }
}

/// Tells who sent a request.
public protocol TokenAuthenticator: Sendable {
    /// Nil when the request bears no valid token. Throws when that cannot be told right now.
    func principal(of headers: HTTPFields) async throws -> Principal?
}

/// Asks the api service, `GET /v1/me`, with the request's own token: so who issues tokens is the only one who must know
/// them. Answers are kept for some seconds, which is how long a token goes on after it was withdrawn.
public final class APITokenAuthenticator: TokenAuthenticator {
    /// The header of the answer that lists the token's scopes, with blanks in between.
    private static let scopes = HTTPField.Name("Todo-Scopes")
    public static let sessionCookie = "todo_session"
    private static let largest = 10_000

    private typealias Known = (principal: Principal?, until: ContinuousClock.Instant)

    private let url: String
    private let transport: any HTTPTransport
    private let lifetime: Duration
    private let patience: Duration
    private let known = Lock<[SHA256Digest: Known]>([:])

    /// - Parameters:
    ///   - api: where the api service is: `http://todo-api:80`.
    ///   - lifetime: how long an answer is kept.
    ///   - patience: how long it may take to come.
    public init(
        api: String, transport: any HTTPTransport, lifetime: Duration = .seconds(5), patience: Duration = .seconds(5)
    ) {
        url = "\(api)/v1/me"
        self.transport = transport
        self.lifetime = lifetime
        self.patience = patience
    }

    public func principal(of headers: HTTPFields) async throws -> Principal? {
        let credentials = Self.credentials(in: headers)
        guard !credentials.isEmpty else { return nil }
        let key = SHA256.hash(data: Array(credentials.map { "\($0.name): \($0.value)\n" }.joined().utf8))
        let now = ContinuousClock.now
        if let found = known.withLock({ $0[key] }), found.until > now { return found.principal }
        let principal = try await ask(credentials)
        known.withLock { known in
            if known.count >= Self.largest { known = known.filter { $0.value.until > now } }
            if known.count < Self.largest { known[key] = (principal, now + lifetime) }
        }
        return principal
    }

    /// What a token may travel in, and nothing else that the request has.
    private static func credentials(in headers: HTTPFields) -> HTTPFields {
        var credentials: HTTPFields = [:]
        if let bearer = headers[.authorization] {
            credentials[.authorization] = bearer
        } else {
            let cookies = headers[values: .cookie].flatMap { $0.split(separator: ";") }
            let session = cookies.first { cookie in
                cookie.drop { $0 == " " }.hasPrefix("\(sessionCookie)=")
            }
            if let session { credentials[.cookie] = String(session.drop { $0 == " " }) }
        }
        return credentials
    }

    private func ask(_ credentials: HTTPFields) async throws -> Principal? {
        let (response, body) = try await me(credentials)
        switch response.status.code {
        case 200:
            guard let user = (try? JSON(parsing: body))?["id"]?.string.flatMap({ UUID(uuidString: $0) }) else {
                throw AuthenticationUnavailable(description: "the api service did not say who bears the token")
            }
            // The route is for those who may read.
            let scopes = Self.scopes.flatMap { response.headers[$0] } ?? Scope.read.rawValue
            return Principal(user: user, scopes: Set(scopes.split(separator: " ").map(String.init)))
        case 401: return nil
        case 403: throw Problem(.forbidden, "the token does not have the scope \(Scope.read.rawValue)")
        case let status:
            throw AuthenticationUnavailable(description: "the api service answered \(status) to who bears a token")
        }
    }
}

extension APITokenAuthenticator {
    private func me(_ credentials: HTTPFields) async throws -> (ClientResponse, [UInt8]) {
        do {
            let response = try await transport.send(
                ClientRequest(url: url, headers: credentials, connectTimeout: .seconds(2), totalTimeout: patience))
            return (response, try await response.body.collect(upTo: 1 << 20))
        } catch HTTPTransportError.cancelled {
            throw CancellationError()
        } catch {
            throw AuthenticationUnavailable(description: "the api service cannot be asked who bears a token: \(error)")
        }
    }
}

extension TokenAuthenticator {
    /// Whose request it is. Throws `Problem`: 401 without a valid token, 403 without the scope or for a write by cookie
    /// that another site may have sent.
    public func principal(of request: Request, scope: String) async throws -> Principal {
        guard let principal = try await principal(of: request.headers) else {
            throw Problem.unauthorized("send Authorization: Bearer <token>, one that is valid", isInvalid: false)
        }
        if request.headers[.authorization] == nil { try request.requireSameOrigin() }
        guard principal.scopes.contains(scope) else {
            throw Problem(.forbidden, "the token does not have the scope \(scope)")
        }
        return principal
    }
}

/// Nobody can tell now whether a token is valid.
public struct AuthenticationUnavailable: Error, CustomStringConvertible {
    public let description: String
}
