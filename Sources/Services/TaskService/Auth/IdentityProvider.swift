internal import FoundationEssentials
internal import HTTPTransport
internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

/// Tells who bears a token of an OpenID Connect provider. Its keys are fetched when they are needed, and again when a
/// token names one that is not known yet; by one fetch at a time, which all who need it wait for. Keys that are known go
/// on being good while newer ones are fetched, and for a day when those are not to be had.
actor IdentityProvider {
    /// Who somebody is there.
    struct Login: Sendable, Hashable {
        let subject: String
        /// Verified by the provider.
        let email: String
        let name: String
        /// When they last proved who they are, in seconds since 1970; nil when the provider does not say.
        let proven: Int64?
        /// When the token was made, in seconds since 1970; nil when it does not say.
        let issued: Int64?
    }

    private static let largestDocument = 256 << 10
    /// By how much clocks may differ.
    private static let leeway: Int64 = 60
    /// Tokens with made-up keys must not have the provider asked each time.
    private static let interval: Duration = .seconds(10)
    /// After a fetch that failed; twice as long after each more, up to `interval`.
    private static let firstPause: Duration = .milliseconds(500)

    nonisolated let issuer: String
    private let address: IdentityProviderAddress
    private let transport: any HTTPTransport
    private var keys: [JSONWebKey] = []
    private var fetched: ContinuousClock.Instant?
    /// The one under way.
    private var fetch: Task<Void, Never>?
    private var earliestFetch = ContinuousClock.now
    /// Why the last one failed, and how many did one after the other.
    private var failure: (reason: any Error, count: Int)?

    init(_ address: IdentityProviderAddress, transport: any HTTPTransport) {
        issuer = address.issuer
        self.address = address
        self.transport = transport
    }

    /// Throws 401 with the reason, or 503 when the provider has to be asked and does not answer.
    func identify(_ token: JSONWebToken) async throws -> Login {
        let id = token.header["kid"]?.string
        if !areFresh || !knows(id) { beginFetch() }
        if !knows(id) {
            await fetch?.value
            if !knows(id), let failure { throw failure.reason }
        }
        guard keys.contains(where: { (id == nil || $0.id == id) && $0.signed(token) }) else {
            throw Self.refusal("is not signed by the identity provider")
        }
        return try login(token.claims, now: Instant.now().millisecondsSince1970 / 1000)
    }

    private var age: Duration? { fetched?.duration(to: .now) }

    private var areFresh: Bool { age.map { $0 < address.freshness } ?? false }

    private func knows(_ id: String?) -> Bool {
        guard let age, age < address.lifetime else { return false }
        return id == nil || keys.contains { $0.id == id }
    }

    /// OpenID Connect Core, section 3.1.3.7.
    private func login(_ claims: JSON, now: Int64) throws -> Login {
        func time(_ name: String) -> Int64? { claims[name]?.double.flatMap { Int64(exactly: $0.rounded()) } }
        guard claims["iss"]?.string == issuer else { throw Self.refusal("is of another issuer") }
        let audiences = claims["aud"]?.array?.compactMap(\.string) ?? [claims["aud"]?.string ?? ""]
        guard audiences.contains(address.audience) else { throw Self.refusal("is for another audience") }
        guard let expiry = time("exp"), now < expiry + Self.leeway else { throw Self.refusal("has expired") }
        guard time("nbf").map({ $0 <= now + Self.leeway }) ?? true else { throw Self.refusal("is not valid yet") }
        guard let subject = claims["sub"]?.string, !subject.isEmpty, subject.utf8.count <= 255 else {
            throw Self.refusal("names no subject")
        }
        guard claims["email_verified"]?.bool == true, let email = claims["email"]?.string?.lowercased(),
            email.contains("@"), email.utf8.count <= 254
        else { throw Self.refusal("names no verified e-mail address: ask for the scope email") }
        let name = claims["name"]?.string ?? String(email.prefix { $0 != "@" })
        let issued = time("iat")
        return Login(
            subject: subject, email: email, name: String(name.prefix(User.nameLimit)),
            proven: time("auth_time") ?? issued, issued: issued)
    }

    private func beginFetch() {
        guard fetch == nil, earliestFetch <= .now else { return }
        // A task of its own: who asked first may go away while others wait.
        fetch = Task {
            do {
                keys = try await fetchedKeys()
                (fetched, failure) = (.now, nil)
                earliestFetch = .now + min(Self.interval, address.freshness)
            } catch {
                let count = (failure?.count ?? 0) + 1
                failure = (error, count)
                earliestFetch = .now + min(Self.firstPause * (1 << min(count - 1, 8)), Self.interval)
            }
            fetch = nil
        }
    }

    private func fetchedKeys() async throws -> [JSONWebKey] {
        // OpenID Connect Discovery, section 4: a slash at its end goes first.
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        let configuration = try await get("\(base)/.well-known/openid-configuration")
        guard configuration["issuer"]?.string == issuer, let url = configuration["jwks_uri"]?.string else {
            throw Problem.unavailable("the identity provider describes another issuer: set OIDC_ISSUER as it does")
        }
        return (try await get(url)["keys"]?.array ?? []).compactMap { JSONWebKey($0) }
    }

    private func get(_ url: String) async throws -> JSON {
        do {
            let response = try await transport.send(
                ClientRequest(url: url, connectTimeout: .seconds(3), totalTimeout: .seconds(5)))
            guard response.status == .ok else {
                throw Problem.unavailable("the identity provider answers \(response.status.code); try again")
            }
            return try JSON(parsing: try await response.body.collect(upTo: Self.largestDocument))
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem.unavailable("the identity provider does not answer; try again")
        }
    }

    private static func refusal(_ why: String) -> Problem { .unauthorized("the token \(why)", isInvalid: true) }
}
