internal import HTTPTypes
internal import StructuredData

/// The server's answer to "may I?".
public struct AccessDecision: Sendable, Hashable {
    public var allowed: Bool
    /// Why, when the authorizer says.
    public var reason: String
}

/// What `/version` says.
public struct ServerVersion: Sendable, Hashable, CustomStringConvertible {
    public var major: Int
    public var minor: Int
    /// `v1.33.2`.
    public var gitVersion: String
    public var platform: String

    public var description: String { gitVersion }

    public func isAtLeast(_ major: Int, _ minor: Int) -> Bool { (self.major, self.minor) >= (major, minor) }
}

extension KubernetesClient {
    /// Whether this client may do `verb` (`get`, `list`, `watch`, `create`, `patch`, …), asked by a
    /// SelfSubjectAccessReview. `namespace` nil means in all namespaces.
    public func can(
        _ verb: String, _ type: ResourceType, namespace: String? = nil, name: String? = nil,
        subresource: String? = nil
    ) async throws(APIError) -> AccessDecision {
        var attributes: JSON = ["verb": JSON(verb), "group": JSON(type.group), "version": JSON(type.version)]
        attributes["resource"] = JSON(type.plural)
        attributes["namespace"] = type.namespaced ? namespace.map { JSON($0) } : nil
        attributes["name"] = name.map { JSON($0) }
        attributes["subresource"] = subresource.map { JSON($0) }
        let review = KubernetesObject(["spec": ["resourceAttributes": attributes]])
        let answer = try await create(review, .selfSubjectAccessReviews)
        guard let allowed = answer.status?["allowed"]?.bool else {
            throw core.error(
                collectionCall("create", .post, .selfSubjectAccessReviews, namespace: nil),
                .malformedResponse("no status.allowed"))
        }
        return AccessDecision(allowed: allowed, reason: answer.status?["reason"]?.string ?? "")
    }

    public func serverVersion() async throws(APIError) -> ServerVersion {
        let call = Call(verb: "get", method: .get, path: "/version")
        let json = try await json(call)
        // Providers append to the minor: `33+`.
        guard let major = json["major"]?.string.flatMap({ Int($0) }),
            let minor = json["minor"]?.string.flatMap({ Int($0.prefix(while: \.isNumber)) })
        else { throw core.error(call, .malformedResponse("no major and minor version")) }
        return ServerVersion(
            major: major, minor: minor, gitVersion: json["gitVersion"]?.string ?? "v\(major).\(minor)",
            platform: json["platform"]?.string ?? "")
    }
}
