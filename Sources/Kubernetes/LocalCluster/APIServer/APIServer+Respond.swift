internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import Logging
internal import StructuredData

extension APIServer {
    /// Answers one request. Never throws: a failure is a `Status`, as the API has it.
    public func respond(to request: APIRequest) async -> APIResponse {
        let response: APIResponse
        do throws(StatusError) {
            response = try await route(request)
        } catch {
            response = .failure(error)
        }
        logger.debug("\(request.method) \(request.target) \(response.status.code)")
        return request.wantsPretty ? response.pretty : response
    }

    private func route(_ request: APIRequest) async throws(StatusError) -> APIResponse {
        let target = RequestTarget(request.target)
        if let health = health(target) { return health }
        guard request.body.count <= configuration.bodyLimit else { throw .tooLarge(limit: configuration.bodyLimit) }
        let user = try user(of: request)
        guard let path = target.resource else { return try document(request, target, user) }
        guard let resource = registry.resource(group: path.group, version: path.version, plural: path.plural) else {
            throw .noSuchResource()
        }
        let resourceRequest = ResourceRequest(
            request: request, query: target.query, user: user, resource: resource, path: path,
            verb: try Self.verb(request, path, target.query))
        let verdict = await faults.verdict(on: resourceRequest)
        if case .answer(let fault) = verdict { return fault }
        try authorize(resourceRequest)
        let response = try await answer(resourceRequest).warning(resource.deprecation)
        if case .transform(let transform) = verdict { return transform(response) }
        return response
    }

    private func user(of request: APIRequest) throws(StatusError) -> UserInfo {
        let user = try authenticator.user(of: request)
        guard let wanted = try Impersonation(request.headers) else { return user }
        for access in wanted.needed where !authorizer.allows(access, by: user) {
            var error = StatusError(
                403, "Forbidden", "\(access.resource) \(quoted(access.name)) is forbidden: \(access.refusal(of: user))")
            error.kind = access.resource
            error.name = access.name
            throw error
        }
        return wanted.user
    }

    private static func verb(_ request: APIRequest, _ path: ResourcePath, _ query: Query) throws(StatusError) -> String
    {
        switch request.method {
        case .get, .head: query.flag("watch") ? "watch" : path.name == nil ? "list" : "get"
        case .post: "create"
        case .put: "update"
        case .patch: "patch"
        case .delete: path.name == nil ? "deletecollection" : "delete"
        default: throw .methodNotAllowed()
        }
    }

    private func answer(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        if request.subresource != nil { return try await answerSubresource(request) }
        guard request.resource.verbs.contains(request.verb) else { throw .methodNotAllowed() }
        switch request.verb {
        case "get": return try get(request)
        case "list": return try list(request)
        case "watch": return try watch(request)
        case "create" where request.name == nil:
            if let answer = try review(request) { return answer }
            if let answer = try await answerBinding(request) { return answer }
            return try await create(request)
        case "update" where request.name != nil: return try await update(request)
        case "patch" where request.name != nil: return try await patch(request)
        case "delete": return try await delete(request)
        case "deletecollection": return try await deleteCollection(request)
        default: throw .methodNotAllowed()
        }
    }

    private func answerSubresource(_ request: ResourceRequest) async throws(StatusError) -> APIResponse {
        let name = request.subresource ?? ""
        try refuseConnection(request)
        if let pods = try await answerPod(request) { return pods }
        if name == "token", request.resource.type.plural == "serviceaccounts", request.verb == "create" {
            return try createToken(request)
        }
        guard let subresource = request.resource.subresource(name) else { throw .noSuchResource() }
        guard subresource.verbs.contains(request.verb) else { throw .methodNotAllowed() }
        if name == "scale", let paths = request.resource.scale { return try await scale(request, paths: paths) }
        switch request.verb {
        case "get": return try get(request)
        case "update": return try await update(request)
        case "patch": return try await patch(request)
        default: throw .methodNotAllowed()
        }
    }
}

extension APIRequest {
    /// `?pretty=true`, and people's tools unless they say no.
    fileprivate var wantsPretty: Bool {
        let query = target.split(separator: "?", maxSplits: 1).dropFirst().first.map { Query(String($0)) }
        if let query, query.contains("pretty") { return query.flag("pretty") }
        let agent = headers[.userAgent] ?? ""
        return ["curl", "Wget", "Mozilla/5.0"].contains { agent.hasPrefix($0) }
    }
}

extension APIResponse {
    fileprivate var pretty: APIResponse {
        guard case .bytes(let bytes) = body, headers[.contentType] == "application/json",
            let json = try? JSON(parsing: bytes)
        else { return self }
        var response = self
        response.body = .bytes(Array(json.prettyText.utf8) + [UInt8(ascii: "\n")])
        return response
    }
}
