internal import HTTPTypes
internal import StructuredData

/// Finds out who sends a request.
struct Authenticator: Sendable {
    let adminToken: String?
    let tokens: TokenIssuer
    let store: ObjectStore
    let now: @Sendable () -> Int

    /// Who brings no credential is `system:anonymous`, whom authorization lets see little.
    ///
    /// - Throws: 401 when the token is not valid.
    func user(of request: APIRequest) throws(StatusError) -> UserInfo {
        switch request.credentials {
        case .user(let user): return user
        case .certificate(let name, let organizations):
            return UserInfo(name: name, groups: organizations + ["system:authenticated"])
        case .headers:
            let parts = (request.headers[.authorization] ?? "").split(separator: " ")
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return .anonymous }
            guard let user = user(ofToken: String(parts[1])) else { throw .unauthorized() }
            return user
        }
    }

    /// The bearer of a token; nil when it is not valid, or its service account is gone.
    func user(ofToken token: String, audiences: [String] = [TokenIssuer.issuer]) -> UserInfo? {
        if let adminToken, Self.areEqual(token, adminToken) { return .admin }
        guard let claims = tokens.claims(of: token, now: now()), claims.audiences.contains(where: audiences.contains),
            let stored = store.object(
                "\(claims.namespace)/\(claims.serviceAccount)", in: TableID(group: "", plural: "serviceaccounts")),
            let account = try? JSON(parsing: stored.bytes), account.at("metadata", "uid")?.string == claims.uid,
            claims.secret.map({ holds($0, token: token, in: claims.namespace) }) ?? true
        else { return nil }
        var user = UserInfo.serviceAccount(
            namespace: claims.namespace, name: claims.serviceAccount, uid: claims.uid)
        user.extra = ["authentication.kubernetes.io/credential-id": ["JTI=\(claims.id)"]]
        return user
    }

    private func holds(_ secret: String, token: String, in namespace: String) -> Bool {
        guard let stored = store.object("\(namespace)/\(secret)", in: TableID(group: "", plural: "secrets")),
            let json = try? JSON(parsing: stored.bytes)
        else { return false }
        return json.at("data", "token")?.string == Base64.standard(Array(token.utf8))
    }

    /// Takes the same time wherever the texts differ.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        guard left.utf8.count == right.utf8.count else { return false }
        return zip(left.utf8, right.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
