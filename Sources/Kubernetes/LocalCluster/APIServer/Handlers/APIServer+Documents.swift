internal import APIServerKinds
internal import HTTPTypes

extension APIServer {
    private static let checks = ["ping", "log", "etcd", "poststarthook/start-apiextensions-controllers"]

    /// `/healthz`, `/livez`, `/readyz`, open to everybody; nil for other paths.
    func health(_ target: RequestTarget) -> APIResponse? {
        let parts = target.path.split(separator: "/")
        guard let kind = parts.first, ["healthz", "livez", "readyz"].contains(kind) else { return nil }
        let failing = journal?.failure == nil ? nil : "etcd"
        if parts.count > 1 {
            let check = parts.dropFirst().joined(separator: "/")
            guard Self.checks.contains(check) else { return .text(404, "404 page not found\n") }
            return check == failing
                ? .text(500, "internal server error: the log cannot be written\n") : .text(200, "ok")
        }
        guard failing != nil || target.query.contains("verbose") else { return .text(200, "ok") }
        let lines = Self.checks.map { $0 == failing ? "[-]\($0) failed: reason withheld" : "[+]\($0) ok" }
        let verdict = failing == nil ? "\(kind) check passed" : "\(kind) check failed"
        return .text(failing == nil ? 200 : 500, (lines + [verdict, ""]).joined(separator: "\n"))
    }

    /// Discovery, version and OpenAPI documents.
    func document(
        _ request: APIRequest, _ target: RequestTarget, _ user: UserInfo
    ) throws(StatusError) -> APIResponse {
        let access = AccessRequest(verb: "get", path: target.path)
        guard request.method == .get || request.method == .head else { throw .methodNotAllowed() }
        guard authorizer.allows(access, by: user) else {
            throw StatusError(403, "Forbidden", "forbidden: \(access.refusal(of: user))")
        }
        let document = registry.document(
            path: target.path, accept: request.headers[.accept] ?? "", serverAddress: configuration.advertisedAddress)
        guard let document else { return .text(404, "404 page not found\n") }
        var headers: HTTPFields = [.contentType: document.contentType, .vary: "Accept"]
        if let etag = document.etag {
            headers[.eTag] = etag
            if request.headers[.ifNoneMatch] == etag {
                return APIResponse(status: .notModified, headers: headers, body: .bytes([]))
            }
        }
        return APIResponse(headers: headers, body: .bytes(document.bytes))
    }
}
