internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

extension APIServer {
    /// The kinds that are questions: answered, never stored. Nil for every other resource.
    func review(_ request: ResourceRequest) throws(StatusError) -> APIResponse? {
        let type = request.resource.type
        guard ["authorization.k8s.io", "authentication.k8s.io"].contains(type.group) else { return nil }
        var warnings: [String] = []
        let options = try WriteOptions(request, kind: "CreateOptions")
        var object = try request.decodedBody(options: options, warnings: &warnings)
        let status: JSON
        switch type.kind {
        case "SelfSubjectAccessReview": status = try accessStatus(object, request.user)
        case "SubjectAccessReview", "LocalSubjectAccessReview":
            status = try accessStatus(object, try subject(of: object, request))
        case "SelfSubjectRulesReview": status = try rulesStatus(object, request.user)
        case "TokenReview": status = tokenStatus(object)
        case "SelfSubjectReview": status = ["userInfo": request.user.json]
        default: return nil
        }
        object["status"] = status
        object.set(object.at("metadata", "creationTimestamp"), at: "metadata", "creationTimestamp")
        return .json(201, object, warnings: warnings)
    }

    private func accessStatus(_ review: JSON, _ user: UserInfo) throws(StatusError) -> JSON {
        let access: AccessRequest
        if let attributes = review.at("spec", "resourceAttributes"), attributes.object != nil {
            access = AccessRequest(
                verb: attributes["verb"]?.string ?? "", group: attributes["group"]?.string ?? "",
                resource: attributes["resource"]?.string ?? "", subresource: attributes["subresource"]?.string ?? "",
                namespace: attributes["namespace"]?.string ?? "", name: attributes["name"]?.string ?? "")
        } else if let attributes = review.at("spec", "nonResourceAttributes"), attributes.object != nil {
            access = AccessRequest(
                verb: attributes["verb"]?.string ?? "", path: attributes["path"]?.string ?? "")
        } else {
            throw .badRequest("exactly one of nonResourceAttributes or resourceAttributes must be specified")
        }
        return authorizer.allows(access, by: user) ? ["allowed": true] : ["allowed": false]
    }

    private func subject(of review: JSON, _ request: ResourceRequest) throws(StatusError) -> UserInfo {
        let name = review.at("spec", "user")?.string ?? ""
        let groups = review.at("spec", "groups")?.array?.compactMap(\.string) ?? []
        guard !name.isEmpty || !groups.isEmpty else {
            throw .badRequest("spec.user: Invalid value: \"\": at least one of user or group must be specified")
        }
        if request.resource.type.kind == "LocalSubjectAccessReview",
            review.at("spec", "resourceAttributes", "namespace")?.string != request.namespace
        {
            throw .badRequest("spec.resourceAttributes.namespace must match metadata.namespace")
        }
        return UserInfo(name: name, uid: review.at("spec", "uid")?.string ?? "", groups: groups)
    }

    private func rulesStatus(_ review: JSON, _ user: UserInfo) throws(StatusError) -> JSON {
        guard let namespace = review.at("spec", "namespace")?.string, !namespace.isEmpty else {
            throw .badRequest("no namespace on request")
        }
        var rules = authorizer.rules(of: user, namespace: namespace).map(\.json)
        if user.groups.contains(Authorizer.mastersGroup) {
            rules += [
                ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]], ["verbs": ["*"], "nonResourceURLs": ["*"]],
            ]
        }
        return [
            "resourceRules": .array(rules.filter { $0["resources"] != nil }),
            "nonResourceRules": .array(rules.filter { $0["nonResourceURLs"] != nil }), "incomplete": false,
        ]
    }

    private func tokenStatus(_ review: JSON) -> JSON {
        let asked = review.at("spec", "audiences")?.array?.compactMap(\.string) ?? []
        let audiences = asked.isEmpty ? [TokenIssuer.issuer] : asked
        guard let user = authenticator.user(ofToken: review.at("spec", "token")?.string ?? "", audiences: audiences)
        else { return ["user": [:], "error": "invalid bearer token"] }
        return [
            "authenticated": true, "user": user.json, "audiences": .array(audiences.map { .string($0) }),
        ]
    }
}

extension UserInfo {
    var json: JSON {
        var json: JSON = ["username": .string(name)]
        if !uid.isEmpty { json["uid"] = .string(uid) }
        if !groups.isEmpty { json["groups"] = .array(groups.map { .string($0) }) }
        if !extra.isEmpty {
            var object = JSONObject()
            for key in extra.keys.sorted() { object[key] = .array((extra[key] ?? []).map { .string($0) }) }
            json["extra"] = .object(object)
        }
        return json
    }
}
