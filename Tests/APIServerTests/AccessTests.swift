import HTTPTypes
import StructuredData
import Testing

@testable import APIServer

struct AccessTests {
    private static let accounts = "/api/v1/namespaces/default/serviceaccounts"
    private static let rbac = "/apis/rbac.authorization.k8s.io/v1"

    private func user(_ name: String) -> UserInfo { UserInfo(name: name, groups: ["system:authenticated"]) }

    private func get(_ api: APIServer, _ target: String, token: String? = nil) async -> Int {
        var headers: HTTPFields = [:]
        headers[.authorization] = token.map { "Bearer \($0)" }
        return await api.respond(to: APIRequest(target: target, headers: headers)).status.code
    }

    @Test("who brings no credential may read health and version only; a wrong token is refused everywhere")
    func anonymous() async throws {
        let server = try await TestServer { $0.adminToken = "right" }
        let list = await server.send(.get, "/api/v1/namespaces", as: .anonymous)
        #expect(
            list.message == #"namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" "#
                + #"in API group "" at the cluster scope"#)
        let root = await server.send(.get, "/apis", as: .anonymous)
        #expect(root.message == #"forbidden: User "system:anonymous" cannot get path "/apis""#)
        #expect(await get(server.api, "/api/v1/namespaces") == 403)
        for path in ["/healthz", "/livez", "/readyz", "/version"] { #expect(await get(server.api, path) == 200) }
        #expect(await get(server.api, "/version", token: "wrong") == 401)
        #expect(await get(server.api, "/api/v1/namespaces", token: "wrong") == 401)
        #expect(await get(server.api, "/api/v1/namespaces", token: "right") == 200)
    }

    @Test("a service account's token says who it is, until the account goes; its rights are what RBAC grants")
    func serviceAccounts() async throws {
        let server = try await TestServer()
        let issued = await server.send(
            .post, "\(Self.accounts)/default/token", ["spec": ["expirationSeconds": 600]])
        #expect(issued.code == 201)
        let token = try #require(issued.json.at("status", "token")?.string)
        #expect(await get(server.api, TestServer.configMaps, token: token) == 403)
        await server.send(
            .post, "\(Self.rbac)/namespaces/default/rolebindings",
            [
                "metadata": ["name": "view"],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"],
                "subjects": [["kind": "ServiceAccount", "name": "default", "namespace": "default"]],
            ])
        #expect(await get(server.api, TestServer.configMaps, token: token) == 200)
        #expect(await get(server.api, "/api/v1/namespaces/default/secrets", token: token) == 403)
        #expect(await get(server.api, "/api/v1/namespaces/kube-system/configmaps", token: token) == 403)
        #expect(await get(server.api, TestServer.configMaps, token: token + "x") == 401)
        await server.send(.delete, "\(Self.accounts)/default")
        #expect(await get(server.api, TestServer.configMaps, token: token) == 401)

        let short = await server.send(.post, "\(Self.accounts)/default/token", ["spec": ["expirationSeconds": 5]])
        #expect(short.code == 404)
    }

    @Test("a Secret for a token of a service account gets one, which is good as long as the Secret is there")
    func tokenSecrets() async throws {
        let server = try await TestServer()
        let secrets = "/api/v1/namespaces/default/secrets"
        let account: JSON = ["kubernetes.io/service-account.name": "default"]
        let secret: JSON = [
            "metadata": ["name": "long", "annotations": account], "type": "kubernetes.io/service-account-token",
        ]
        let made = await server.send(.post, secrets, secret)
        #expect(made.json.at("data", "namespace")?.string.flatMap(Base64.decoded) == Array("default".utf8))
        let bytes = try #require(made.json.at("data", "token")?.string.flatMap(Base64.decoded))
        let token = String(decoding: bytes, as: UTF8.self)
        #expect(await get(server.api, "/version", token: token) == 200)
        #expect(await get(server.api, TestServer.configMaps, token: token) == 403)
        await server.send(.delete, "\(secrets)/long")
        #expect(await get(server.api, "/version", token: token) == 401)
        await server.send(.post, secrets, secret)
        #expect(await get(server.api, "/version", token: token) == 401, "the new Secret holds another token")
    }

    @Test("a token expires")
    func tokenExpiry() {
        let issuer = TokenIssuer()
        let claims = TokenIssuer.Claims(
            namespace: "n", serviceAccount: "a", uid: "u", audiences: [TokenIssuer.issuer], issuedAt: 1_000,
            expiresAt: 2_000, id: "i")
        let token = (try? issuer.token(claims)) ?? ""
        #expect(issuer.claims(of: token, now: 1_999) == claims)
        #expect(issuer.claims(of: token, now: 2_000) == nil)
        #expect(TokenIssuer().claims(of: token, now: 1_500) == nil)
        #expect(issuer.claims(of: "a.b.c", now: 1_500) == nil)
    }

    @Test("a refusal names the user, the verb, the resource and the place")
    func refusals() async throws {
        let server = try await TestServer()
        let list = await server.send(.get, TestServer.configMaps, as: user("bob"))
        #expect(list.code == 403 && list.reason == "Forbidden")
        #expect(
            list.message
                == "configmaps is forbidden: User \"bob\" cannot list resource \"configmaps\" in API group \"\" in the "
                + "namespace \"default\"")
        let create = await server.send(.post, "/api/v1/namespaces", [:], as: user("bob"))
        #expect(
            create.message.hasSuffix("cannot create resource \"namespaces\" in API group \"\" at the cluster scope"))
        #expect(await server.send(.get, "/apis", as: user("bob")).code == 200)
        #expect(await server.send(.get, "/metrics", as: user("bob")).code == 403)
    }

    @Test("rules select by verb, group, resource, subresource and name")
    func rules() {
        func rule(_ json: JSON) -> PolicyRule { PolicyRule(json) }
        let named = rule(
            ["verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["a"]])
        #expect(named.allows(AccessRequest(verb: "get", resource: "configmaps", name: "a")))
        #expect(!named.allows(AccessRequest(verb: "get", resource: "configmaps", name: "b")))
        #expect(!named.allows(AccessRequest(verb: "list", resource: "configmaps")))
        let logs = rule(["verbs": ["*"], "apiGroups": ["*"], "resources": ["pods/log", "*/scale"]])
        #expect(logs.allows(AccessRequest(verb: "get", resource: "pods", subresource: "log")))
        #expect(logs.allows(AccessRequest(verb: "get", group: "apps", resource: "deployments", subresource: "scale")))
        #expect(!logs.allows(AccessRequest(verb: "get", resource: "pods")))
        let paths = rule(["verbs": ["get"], "nonResourceURLs": ["/apis/*"]])
        #expect(paths.allows(AccessRequest(verb: "get", path: "/apis/apps")))
        #expect(!paths.allows(AccessRequest(verb: "get", path: "/api")))
    }

    @Test("nobody grants what they do not have")
    func escalation() async throws {
        let server = try await TestServer()
        await server.send(
            .post, "\(Self.rbac)/clusterrolebindings",
            [
                "metadata": ["name": "bob"],
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"],
                "subjects": [["kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"]],
            ])
        func role(_ name: String, _ resource: JSON) -> JSON {
            [
                "metadata": ["name": .string(name)],
                "rules": [["verbs": ["get"], "apiGroups": [""], "resources": [resource]]],
            ]
        }
        let roles = "\(Self.rbac)/namespaces/default/roles"
        #expect(await server.send(.post, roles, role("fine", "pods"), as: user("bob")).code == 201)
        let excess = await server.send(.post, roles, role("excess", "nodes"), as: user("bob"))
        #expect(excess.code == 403)
        #expect(excess.message.contains("is attempting to grant RBAC permissions not currently held"))
    }

    @Test("a role that gathers others has the rules of those that it selects and no more, and is not for everybody")
    func aggregation() async throws {
        let server = try await TestServer()
        func role(_ name: String, _ resource: JSON, verb: JSON = "list", group: JSON = "", labels: JSON = [:]) -> JSON {
            [
                "metadata": ["name": .string(name), "labels": labels],
                "rules": [["verbs": [verb], "apiGroups": [group], "resources": [resource]]],
            ]
        }
        func bind(_ name: String, to user: String) async {
            await server.send(
                .post, "\(Self.rbac)/clusterrolebindings",
                [
                    "metadata": ["name": .string(user)],
                    "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(name)],
                    "subjects": [["kind": "User", "name": .string(user), "apiGroup": "rbac.authorization.k8s.io"]],
                ])
        }
        let roles = "\(Self.rbac)/clusterroles"
        await server.send(.post, roles, role("picked", "configmaps", labels: ["tier": "a"]))
        var sum: JSON = ["metadata": ["name": "sum"], "rules": []]
        let picks: JSON = ["matchExpressions": [["key": "tier", "operator": "In", "values": ["a"]]]]
        sum["aggregationRule"] = ["clusterRoleSelectors": [picks]]
        await server.send(.post, roles, sum)
        await bind("sum", to: "ann")
        #expect(await server.send(.get, TestServer.configMaps, as: user("ann")).code == 200)
        #expect(await server.send(.get, "/api/v1/nodes", as: user("ann")).code == 403)

        let label = "rbac.authorization.k8s.io/aggregate-to-view"
        await server.send(.post, roles, role("nodes", "nodes", labels: [label: "true"]))
        await bind("edit", to: "bob")
        #expect(await server.send(.get, "/api/v1/nodes", as: user("bob")).code == 200)

        let group: JSON = "rbac.authorization.k8s.io"
        await server.send(.post, roles, role("author", "clusterroles", verb: "create", group: group))
        await bind("author", to: "eve")
        sum.set("all", at: "metadata", "name")
        let refused = await server.send(.post, roles, sum, as: user("eve"))
        #expect(refused.code == 403)
        #expect(refused.message.hasSuffix("must have cluster-admin privileges to use the aggregationRule"))
    }

    @Test("reviews answer who may do what")
    func reviews() async throws {
        let server = try await TestServer()
        let attributes: JSON = ["verb": "create", "group": "apps", "resource": "deployments", "namespace": "default"]
        let target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        let admin = await server.send(.post, target, ["spec": ["resourceAttributes": attributes]])
        #expect(admin.code == 201)
        #expect(admin.json.at("status", "allowed") == true)
        let bob = await server.send(.post, target, ["spec": ["resourceAttributes": attributes]], as: user("bob"))
        #expect(bob.json.at("status", "allowed") == false)
        let other = await server.send(
            .post, "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            ["spec": ["user": "x", "groups": ["system:masters"], "resourceAttributes": attributes]])
        #expect(other.json.at("status", "allowed") == true)
        let issued = await server.send(.post, "\(Self.accounts)/default/token", [:])
        let token = issued.json.at("status", "token") ?? ""
        let review = await server.send(
            .post, "/apis/authentication.k8s.io/v1/tokenreviews", ["spec": ["token": token]])
        #expect(review.json.at("status", "authenticated") == true)
        #expect(review.json.at("status", "user", "username") == "system:serviceaccount:default:default")
    }

    @Test("who may act as others may do so only as those they may; nobody becomes an administrator by it")
    func impersonation() async throws {
        let server = try await TestServer()
        func act(as name: String?, groups: [String] = [], by user: UserInfo) async -> Int {
            var headers: HTTPFields = [:]
            if let field = HTTPField.Name("Impersonate-User") { headers[field] = name }
            if let field = HTTPField.Name("Impersonate-Group") { headers[values: field] = groups }
            return await server.api.respond(
                to: APIRequest(target: TestServer.configMaps, headers: headers, credentials: .user(user))
            ).status.code
        }
        #expect(await act(as: "bob", by: .admin) == 403)
        #expect(await act(as: "bob", groups: ["system:masters"], by: .admin) == 200)
        #expect(await act(as: "bob", by: user("eve")) == 403)
        #expect(await act(as: nil, groups: ["viewers"], by: .admin) == 500)
        await server.send(
            .post, "\(Self.rbac)/clusterroles",
            [
                "metadata": ["name": "actor"],
                "rules": [["verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"]]],
            ])
        for (name, role, subject) in [("actor", "actor", "eve"), ("viewer", "view", "bob")] {
            await server.send(
                .post, "\(Self.rbac)/clusterrolebindings",
                [
                    "metadata": ["name": .string(name)],
                    "roleRef": [
                        "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(role),
                    ],
                    "subjects": [
                        ["kind": "User", "name": .string(subject), "apiGroup": "rbac.authorization.k8s.io"]
                    ],
                ])
        }
        #expect(await act(as: "bob", by: user("eve")) == 200)
        #expect(await act(as: "bob", groups: ["system:masters"], by: user("eve")) == 403)
        #expect(await act(as: "system:serviceaccount:default:default", by: user("eve")) == 403)
    }
}
