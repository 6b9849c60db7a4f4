internal import APIServerKinds
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

extension APIServer {
    /// `serviceaccounts/NAME/token`: a TokenRequest is answered with a token (kubernetes.io TokenRequest v1).
    func createToken(_ request: ResourceRequest) throws(StatusError) -> APIResponse {
        guard let stored = store.object(request.key, in: request.table) else {
            throw .notFound(request.resource, request.name ?? "")
        }
        let account = try request.resource.object(from: stored)
        var tokenRequest = try request.parsedBody().json
        let seconds = tokenRequest.at("spec", "expirationSeconds")?.int ?? 3_600
        try checkExpiration(seconds, request)
        let asked = tokenRequest.at("spec", "audiences")?.array?.compactMap(\.string) ?? []
        let now = configuration.now()
        let claims = TokenIssuer.Claims(
            namespace: request.namespace ?? "", serviceAccount: request.name ?? "",
            uid: account.at("metadata", "uid")?.string ?? "", audiences: asked.isEmpty ? [TokenIssuer.issuer] : asked,
            issuedAt: nowSeconds, expiresAt: nowSeconds + seconds, id: UUID.make())
        let token: String
        do { token = try tokens.token(claims) } catch { throw .internalError("cannot sign a token: \(error)") }
        tokenRequest["kind"] = "TokenRequest"
        tokenRequest["apiVersion"] = "authentication.k8s.io/v1"
        tokenRequest.set(.string(claims.serviceAccount), at: "metadata", "name")
        tokenRequest.set(.string(claims.namespace), at: "metadata", "namespace")
        tokenRequest.set(.string(now.text), at: "metadata", "creationTimestamp")
        tokenRequest.set(.array(claims.audiences.map { .string($0) }), at: "spec", "audiences")
        tokenRequest.set(JSON(seconds), at: "spec", "expirationSeconds")
        tokenRequest["status"] = [
            "token": .string(token), "expirationTimestamp": .string(now.advanced(by: .seconds(seconds)).text),
        ]
        return .json(201, tokenRequest)
    }

    /// Fills a Secret of type `kubernetes.io/service-account-token`: its token is good as long as the Secret is there.
    func fillTokenSecret(_ secret: inout JSON, _ request: ResourceRequest) throws(StatusError) {
        guard request.table == TableID(group: "", plural: "secrets"),
            secret["type"] == "kubernetes.io/service-account-token"
        else { return }
        let name = secret.at("metadata", "annotations", "kubernetes.io/service-account.name")?.string ?? ""
        let namespace = request.namespace ?? ""
        guard
            let stored = store.object("\(namespace)/\(name)", in: TableID(group: "", plural: "serviceaccounts")),
            let uid = (try? JSON(parsing: stored.bytes))?.at("metadata", "uid")?.string
        else { return }
        let claims = TokenIssuer.Claims(
            namespace: namespace, serviceAccount: name, uid: uid, audiences: [TokenIssuer.issuer],
            issuedAt: nowSeconds, expiresAt: nowSeconds + 1 << 32, id: UUID.make(),
            secret: secret.at("metadata", "name")?.string)
        do {
            secret.set(.string(Base64.standard(Array(try tokens.token(claims).utf8))), at: "data", "token")
        } catch { throw .internalError("cannot sign a token: \(error)") }
        secret.set(.string(Base64.standard(Array(namespace.utf8))), at: "data", "namespace")
        secret.set(.string(uid), at: "metadata", "annotations", "kubernetes.io/service-account.uid")
        let authority = store.object("\(namespace)/kube-root-ca.crt", in: TableID(group: "", plural: "configmaps"))
        if let authority, let text = (try? JSON(parsing: authority.bytes))?.at("data", "ca.crt")?.string {
            secret.set(.string(Base64.standard(Array(text.utf8))), at: "data", "ca.crt")
        }
    }

    private func checkExpiration(_ seconds: Int, _ request: ResourceRequest) throws(StatusError) {
        let fault: String? =
            if seconds < 600 {
                "may not specify a duration less than 10 minutes"
            } else if seconds > 1 << 32 {
                "may not specify a duration larger than 2^32 seconds"
            } else {
                nil
            }
        guard let fault else { return }
        var error = StatusError(
            422, "Invalid",
            "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: \(seconds): \(fault)"
        )
        error.group = "authentication.k8s.io"
        error.kind = "TokenRequest"
        error.causes = [
            .init(
                reason: FieldError.Reason.invalid.rawValue, message: "Invalid value: \(seconds): \(fault)",
                field: "spec.expirationSeconds")
        ]
        throw error
    }
}
