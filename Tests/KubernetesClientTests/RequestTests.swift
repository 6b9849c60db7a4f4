import Concurrency
import HTTPTransport
import HTTPTypes
import Logging
import StructuredData
import Testing

@testable import KubernetesClient

@Suite struct RequestTests {
    typealias Request = @Sendable (KubernetesClient) async throws(APIError) -> Void

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var expected: String
        var contentType: String?
        var body: JSON?
        var request: Request
        var testDescription: String { name }
    }

    static let object = KubernetesObject(configMap("a"))
    static let cases: [Case] = [
        Case(name: "get", expected: "GET /api/v1/namespaces/home/configmaps/a") { client async throws(APIError) in
            _ = try await client.get(.configMaps, name: "a")
        },
        Case(name: "get elsewhere", expected: "GET /apis/apps/v1/namespaces/n/deployments/a/scale") {
            client async throws(APIError) in
            _ = try await client.get(.deployments, namespace: "n", name: "a", subresource: "scale")
        },
        Case(name: "get cluster-scoped", expected: "GET /api/v1/namespaces/a") { client async throws(APIError) in
            _ = try await client.get(.namespaces, namespace: "ignored", name: "a")
        },
        Case(name: "odd names are encoded", expected: "GET /api/v1/namespaces/home/configmaps/system:a%2F%3Fb") {
            client async throws(APIError) in
            _ = try await client.get(.configMaps, name: "system:a/?b")
        },
        Case(
            name: "create",
            expected: "POST /api/v1/namespaces/n/configmaps?fieldManager=m&dryRun=All&fieldValidation=Strict",
            contentType: "application/json", body: configMap("a")
        ) { client async throws(APIError) in
            let options = WriteOptions(fieldManager: "m", dryRun: true, fieldValidation: .strict)
            _ = try await client.create(object, .configMaps, namespace: "n", options: options)
        },
        Case(
            name: "create fills in the kind", expected: "POST /api/v1/namespaces",
            body: ["metadata": ["name": "n"], "apiVersion": "v1", "kind": "Namespace"]
        ) { client async throws(APIError) in
            _ = try await client.create(KubernetesObject(["metadata": ["name": "n"]]), .namespaces)
        },
        Case(
            name: "create a subresource", expected: "POST /api/v1/namespaces/home/serviceaccounts/s/token",
            body: ["spec": [:]]
        ) { client async throws(APIError) in
            _ = try await client.create(["spec": [:]], .serviceAccounts, name: "s", subresource: "token")
        },
        Case(
            name: "replace", expected: "PUT /api/v1/namespaces/home/configmaps/a", contentType: "application/json",
            body: configMap("a")
        ) { client async throws(APIError) in
            _ = try await client.replace(object, .configMaps)
        },
        Case(
            name: "apply",
            expected: "PATCH /api/v1/namespaces/home/configmaps/a/status?fieldManager=m&dryRun=All"
                + "&fieldValidation=Warn&force=true",
            contentType: "application/apply-patch+yaml", body: configMap("a")
        ) { client async throws(APIError) in
            _ = try await client.apply(
                object, .configMaps, fieldManager: "m", subresource: "status", dryRun: true, fieldValidation: .warn)
        },
        Case(
            name: "merge patch", expected: "PATCH /api/v1/namespaces/home/configmaps/a/status",
            contentType: "application/merge-patch+json", body: ["status": nil]
        ) { client async throws(APIError) in
            _ = try await client.patch(.configMaps, name: "a", .merge(["status": nil]), subresource: "status")
        },
        Case(
            name: "JSON patch", expected: "PATCH /api/v1/namespaces/home/configmaps/a",
            contentType: "application/json-patch+json", body: [["op": "remove", "path": "/data"]]
        ) { client async throws(APIError) in
            _ = try await client.patch(.configMaps, name: "a", .json([["op": "remove", "path": "/data"]]))
        },
        Case(
            name: "strategic patch", expected: "PATCH /api/v1/namespaces/home/configmaps/a",
            contentType: "application/strategic-merge-patch+json", body: [:]
        ) { client async throws(APIError) in
            _ = try await client.patch(.configMaps, name: "a", .strategic([:]))
        },
        Case(
            name: "delete", expected: "DELETE /api/v1/namespaces/home/configmaps/a", contentType: "application/json",
            body: [
                "kind": "DeleteOptions", "apiVersion": "v1",
                "preconditions": ["uid": "u", "resourceVersion": "7"], "propagationPolicy": "Foreground",
                "gracePeriodSeconds": 0, "dryRun": ["All"],
            ]
        ) { client async throws(APIError) in
            let options = DeleteOptions(
                uid: "u", resourceVersion: "7", propagation: .foreground, gracePeriodSeconds: 0, dryRun: true)
            try await client.delete(.configMaps, name: "a", options: options)
        },
        Case(
            name: "delete a collection",
            expected: "DELETE /api/v1/namespaces/n/configmaps?labelSelector=a%20in%20(b%2Cc)"
                .replacing("(", with: "%28").replacing(")", with: "%29"),
            body: ["kind": "DeleteOptions", "apiVersion": "v1"]
        ) { client async throws(APIError) in
            try await client.deleteCollection(
                .configMaps, namespace: "n", options: ListOptions(labelSelector: "a in (b,c)"))
        },
        Case(
            name: "may I",
            expected: "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            body: [
                "spec": [
                    "resourceAttributes": [
                        "verb": "watch", "group": "apps", "version": "v1", "resource": "deployments", "namespace": "n",
                    ]
                ],
                "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            ]
        ) { client async throws(APIError) in
            let decision = try await client.can("watch", .deployments, namespace: "n")
            #expect(decision == AccessDecision(allowed: true, reason: "said so"))
        },
    ]

    @Test(arguments: cases) func everyCallSendsWhatTheAPIExpects(test: Case) async throws {
        var answer = configMap("a")
        answer["status"] = ["allowed": true, "reason": "said so"]
        let server = StubServer(answer)
        try await test.request(server.client())
        let request = try #require(server.requests.first)
        #expect("\(request.method) \(request.path)" == test.expected)
        #expect(request.body == test.body)
        if let contentType = test.contentType { #expect(request.headers[.contentType] == contentType) }
        #expect(request.headers[.accept] == "application/json")
        #expect(server.requests.count == 1)
    }

    @Test func anEmptyNameIsNeverSent() async {
        let server = StubServer([])
        let client = server.client()
        let error = await apiError { () async throws(APIError) in
            try await client.delete(.configMaps, namespace: "n", name: "")
        }
        #expect(
            error?.description == "delete /api/v1/namespaces/n/configmaps/: ConfigMap needs a name and a namespace "
                + "that is not empty")
        let everything = await apiError { () async throws(APIError) in
            try await client.deleteCollection(.configMaps, namespace: nil)
        }
        #expect(everything?.verb == "deletecollection")
        #expect(server.requests.isEmpty)
    }

    @Test func aDeleteTellsGoneFromPending() async throws {
        var done = status(200, "")
        done["details"] = ["uid": "u"]
        let server = StubServer([.answer(200, done), .answer(200, configMap("a"))])
        #expect(try await server.client().delete(.configMaps, name: "a") == .deleted(uid: "u"))
        #expect(
            try await server.client().delete(.configMaps, name: "a") == .pending(KubernetesObject(configMap("a"))))
    }

    @Test func headersCarryUserAgentCredentialAndImpersonation() async throws {
        let server = StubServer(configMap("a"))
        let client = server.client(
            credentials: .token("T"),
            impersonation: .init(
                user: "eve", uid: "7", groups: ["a", "b"], extra: ["example.com/x:y": ["1", "2"]]),
            options: .init(userAgent: "todo-operator/1.2.3"))
        _ = try await client.get(.configMaps, name: "a")
        let headers = try #require(server.requests.first).headers
        #expect(headers[.userAgent] == "todo-operator/1.2.3")
        #expect(headers[.authorization] == "Bearer T")
        func values(_ name: String) -> [String] { HTTPField.Name(name).map { headers[values: $0] } ?? [] }
        #expect(values("Impersonate-User") == ["eve"])
        #expect(values("Impersonate-Uid") == ["7"])
        #expect(values("Impersonate-Group") == ["a", "b"])
        #expect(values("Impersonate-Extra-example.com%2Fx%3Ay") == ["1", "2"])
    }

    @Test func getIfPresentTellsAbsentFromForbidden() async throws {
        let server = StubServer([.answer(404, status(404, "NotFound")), .answer(403, status(403, "Forbidden"))])
        let client = server.client()
        #expect(try await client.getIfPresent(.configMaps, name: "a") == nil)
        let error = await apiError { () async throws(APIError) in
            try await client.getIfPresent(.configMaps, name: "a")
        }
        #expect(error?.isForbidden == true)
    }

    @Test func everyExchangeIsObserved() async throws {
        let records = Lock<[RequestRecord]>([])
        let server = StubServer([
            .failure(.connectionLost("reset")), .answer(503, status(503, "ServiceUnavailable")),
            .answer(200, configMap("a")),
        ])
        let client = server.client(
            options: .init(observer: { record in records.withLock { $0.append(record) } }, clock: FakeClock().clock))
        _ = try await client.get(.configMaps, name: "a")
        let seen = records.withLock { $0 }
        #expect(seen.map(\.code) == [nil, 503, 200])
        #expect(seen.allSatisfy { $0.host == "cluster.test:6443" && $0.method == "GET" && $0.verb == "get" })
    }

    @Test func aWarningIsLoggedOnce() async throws {
        let log = Lock<[String]>([])
        let warning = #"299 - "policy/v1beta1 is \"old\"""#
        let headers = HTTPFields(
            ["Warning", "warning"].compactMap { name in
                HTTPField.Name(name).map { HTTPField(name: $0, value: warning) }
            })
        let server = StubServer([
            .answer(200, configMap("a"), headers: headers), .answer(200, configMap("a"), headers: headers),
        ])
        let logger = Logger(label: "test") { _ in CapturingHandler(log: log) }
        let client = server.client(options: .init(logger: logger))
        _ = try await client.get(.configMaps, name: "a")
        _ = try await client.get(.configMaps, name: "a")
        #expect(log.withLock { $0 } == [#"policy/v1beta1 is "old""#])
    }

    @Test func theServersVersionIsRead() async throws {
        let server = StubServer([
            "major": "1", "minor": "33+", "gitVersion": "v1.33.2-gke.1", "platform": "linux/amd64",
        ])
        let version = try await server.client().serverVersion()
        #expect(version.isAtLeast(1, 30))
        #expect(!version.isAtLeast(1, 34))
        #expect("\(version)" == "v1.33.2-gke.1")
    }

    @Test func rawGivesTheBytesAsTheyCame() async throws {
        let server = StubServer([.text(200, "ok")])
        let answer = try await server.client().raw(path: "/readyz?verbose", accept: "text/plain")
        #expect(answer.body == Array("ok".utf8))
        #expect(server.requests.first?.path == "/readyz?verbose")
        #expect(server.requests.first?.headers[.accept] == "text/plain")
    }
}

private struct CapturingHandler: LogHandler {
    let log: Lock<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { log.withLock { $0.append("\(event.message)") } }
}
