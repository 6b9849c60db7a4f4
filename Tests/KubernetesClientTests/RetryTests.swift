import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

@testable import KubernetesClient

@Suite struct RetryTests {
    private let object = KubernetesObject(configMap("a"))

    @Test func retryAfterIsHonouredForEveryVerb() async throws {
        let time = FakeClock()
        let server = StubServer([
            .answer(429, status(429, "TooManyRequests"), headers: [.retryAfter: "3"]),
            .answer(503, status(503, "ServiceUnavailable"), headers: [.retryAfter: "1"]),
            .answer(201, configMap("a")),
        ])
        _ = try await server.client(options: .init(clock: time.clock)).create(object, .configMaps)
        #expect(server.requests.count == 3)
        #expect(server.requests.allSatisfy { $0.method == "POST" && $0.body != nil })
        #expect(time.sleeps.count == 2)
        #expect(time.sleeps[0] >= .seconds(3) && time.sleeps[0] <= .seconds(3.3))
        #expect(time.sleeps[1] >= .seconds(1) && time.sleeps[1] <= .seconds(1.1))
    }

    @Test func aWriteWhoseFateIsUnknownIsNotSentAgain() async {
        for step: StubServer.Step in [
            .failure(.connectionLost("reset")), .answer(503, status(503, "ServiceUnavailable")),
            .answer(500, status(500, "InternalError")), .answer(504, status(504, "Timeout")),
        ] {
            let server = StubServer([step])
            _ = await apiError { () async throws(APIError) in
                try await server.client(options: .init(clock: FakeClock().clock)).create(object, .configMaps)
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test func aReadIsSentAgainWithGrowingWaits() async throws {
        let time = FakeClock()
        let server = StubServer([
            .failure(.connectionLost("reset")), .answer(502, status(502, "")), .answer(504, status(504, "Timeout")),
            .answer(200, configMap("a")),
        ])
        _ = try await server.client(options: .init(clock: time.clock)).get(.configMaps, name: "a")
        #expect(time.sleeps.count == 3)
        for (sleep, most) in zip(time.sleeps, [Duration.milliseconds(200), .milliseconds(400), .milliseconds(800)]) {
            #expect(sleep >= most / 2 && sleep <= most)
        }
    }

    @Test func retriesAreBounded() async {
        let server = StubServer(.init(repeating: .failure(.connectionLost("reset")), count: 6))
        let error = await apiError { () async throws(APIError) in
            try await server.client(options: .init(clock: FakeClock().clock)).get(.configMaps, name: "a")
        }
        #expect(server.requests.count == 6)
        #expect(error?.description == "get /api/v1/namespaces/home/configmaps/a: reset")
    }

    @Test func zeroRetriesMeansNone() async {
        let server = StubServer([.answer(429, status(429, "TooManyRequests"), headers: [.retryAfter: "1"])])
        var client = server.client()
        client.maximumRetries = 0
        let error = await apiError { [client] () async throws(APIError) in
            try await client.get(.configMaps, name: "a")
        }
        #expect(error?.isTooManyRequests == true)
    }

    @Test func aWaitThatWouldPassTheDeadlineIsNotBegun() async {
        let time = FakeClock()
        let server = StubServer([.answer(429, status(429, "TooManyRequests"), headers: [.retryAfter: "9"])])
        var client = server.client(options: .init(clock: time.clock))
        client.requestTimeout = .seconds(5)
        let error = await apiError { [client] () async throws(APIError) in
            try await client.get(.configMaps, name: "a")
        }
        #expect(error?.isTooManyRequests == true)
        #expect(time.sleeps.isEmpty)
        #expect(server.raw.first?.totalTimeout == .seconds(5))
    }

    @Test func theTimeLeftShrinksWithEveryTry() async throws {
        let server = StubServer([
            .answer(429, status(429, "TooManyRequests"), headers: [.retryAfter: "20"]), .answer(200, configMap("a")),
        ])
        _ = try await server.client(options: .init(clock: FakeClock().clock)).get(.configMaps, name: "a")
        let left = try #require(server.raw.last?.totalTimeout)
        #expect(left >= .seconds(38) && left <= .seconds(40))
    }

    @Test func refusedConnectionsAreReportedAtOnce() async {
        let server = StubServer([.failure(.connect("cannot connect to cluster.test:6443: refused"))])
        let error = await apiError { () async throws(APIError) in
            try await server.client().get(.configMaps, name: "a")
        }
        #expect(
            error?.description
                == "get /api/v1/namespaces/home/configmaps/a: cannot connect to cluster.test:6443: refused")
    }

    @Test func anAbsurdRetryAfterIsNotWaitedFor() {
        let policy = RetryPolicy(maximumRetries: 5)
        #expect(policy.delay(status: 429, retryAfter: 31, isSafe: true, attempt: 0, random: 0) == nil)
        #expect(policy.delay(status: 429, retryAfter: Int.max, isSafe: true, attempt: 0, random: 0) == nil)
        #expect(policy.delay(status: 429, retryAfter: -1, isSafe: true, attempt: 0, random: 0) == .zero)
        #expect(policy.delay(status: 409, retryAfter: 1, isSafe: true, attempt: 0, random: 0) == nil)
        #expect(policy.delay(status: 429, retryAfter: 1, isSafe: true, attempt: 5, random: 0) == nil)
    }

    @Test func aRefusedTokenIsRenewedOnce() async throws {
        let folder = try Folder()
        let path = try folder.write("token", "T")
        let server = StubServer([
            .answer(401, status(401, "Unauthorized")), .answer(200, configMap("a")),
            .answer(401, status(401, "Unauthorized")), .answer(401, status(401, "Unauthorized")),
        ])
        let client = server.client(credentials: .tokenFile(path: path))
        _ = try await client.get(.configMaps, name: "a")
        let error = await apiError { () async throws(APIError) in try await client.get(.configMaps, name: "a") }
        #expect(error?.isUnauthorized == true)
        #expect(server.requests.count == 4)
    }

    @Test func aFixedTokenIsNotTriedTwice() async {
        let server = StubServer([.answer(401, status(401, "Unauthorized"))])
        let error = await apiError { () async throws(APIError) in
            try await server.client(credentials: .token("T")).get(.configMaps, name: "a")
        }
        #expect(error?.isUnauthorized == true)
    }

    @Test func missingCredentialsAreExplainedWithTheRequest() async {
        let server = StubServer([])
        let error = await apiError { () async throws(APIError) in
            try await server.client(credentials: .tokenFile(path: "/absent")).get(.namespaces, name: "a")
        }
        #expect(error?.description == "get /api/v1/namespaces/a: token file: /absent does not exist")
    }
}

@Suite struct FenceTests {
    private let object = KubernetesObject(configMap("a"))

    @Test func aFencedClientReadsButDoesNotWrite() async throws {
        let review: JSON = ["kind": "SelfSubjectAccessReview", "status": ["allowed": true]]
        let server = StubServer([
            .answer(200, configMap("a")), .answer(201, review), .answer(201, configMap("a")),
        ])
        let open = server.client()
        var fenced = open
        fenced.mayWrite = { false }
        _ = try await fenced.get(.configMaps, name: "a")
        _ = try await fenced.can("get", .configMaps)
        let error = await apiError { [fenced] () async throws(APIError) in
            try await fenced.create(object, .configMaps)
        }
        #expect(error?.isFenced == true)
        #expect(
            error?.description == "create /api/v1/namespaces/home/configmaps: writing is not allowed: this process is "
                + "not the leader")
        #expect(server.requests.count == 2)
        _ = try await open.create(object, .configMaps)
    }

    @Test func leadershipLostWhileWaitingStopsTheRetry() async {
        let time = FakeClock()
        let server = StubServer([.answer(429, status(429, "TooManyRequests"), headers: [.retryAfter: "10"])])
        var client = server.client(options: .init(clock: time.clock))
        client.mayWrite = { time.clock.elapsed() < .seconds(10) }
        let error = await apiError { [client] () async throws(APIError) in
            try await client.delete(.configMaps, name: "a")
        }
        #expect(error?.isFenced == true)
        #expect(server.requests.count == 1)
    }
}

@Suite struct APIErrorTests {
    @Test func theStatusIsKeptWhole() async throws {
        var body = status(409, "Conflict", "Apply failed with 1 conflict")
        body["details"] = [
            "causes": [
                ["reason": "FieldManagerConflict", "message": "conflict with \"x\"", "field": ".spec.replicas"]
            ],
            "retryAfterSeconds": 2,
        ]
        let server = StubServer([.answer(409, body)])
        let client = server.client()
        let error = await apiError { () async throws(APIError) in
            try await client.apply(KubernetesObject(configMap("a")), .configMaps, fieldManager: "m", force: false)
        }
        let status = try #require(error?.status)
        #expect(error?.isConflict == true)
        #expect(error?.isAlreadyExists == false)
        #expect(status.code == 409)
        #expect(status.retryAfterSeconds == 2)
        #expect(
            status.causes == [
                .init(reason: "FieldManagerConflict", message: "conflict with \"x\"", field: ".spec.replicas")
            ])
        #expect(status.json == body)
        #expect(
            error?.description
                == "apply /api/v1/namespaces/home/configmaps/a: Apply failed with 1 conflict (409 Conflict)")
    }

    @Test func alreadyExistsIsNoConflict() {
        let taken = Status(code: 409, reason: "AlreadyExists", message: "")
        #expect(taken.isAlreadyExists && !taken.isConflict)
        #expect(Status(code: 409, reason: "Conflict", message: "").isConflict)
    }

    @Test func anAnswerThatIsNoStatusKeepsCodeAndText() async {
        let server = StubServer([.text(403, "<html>\nBlocked by\nproxy</html>")])
        let error = await apiError { () async throws(APIError) in
            try await server.client().get(.configMaps, name: "a")
        }
        #expect(error?.isForbidden == true)
        #expect(
            error?.description
                == "get /api/v1/namespaces/home/configmaps/a: <html> Blocked by proxy</html> (403)")
    }

    @Test func aSuccessThatIsNotJSONIsMalformed() async {
        for text in ["<html>", "[]", "{}"] {
            let server = StubServer([.text(200, text)])
            let error = await apiError { () async throws(APIError) in
                try await server.client().get(.configMaps, name: "a")
            }
            guard case .malformedResponse = error?.cause else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test func aLostWriteSaysThatItMayHaveHappened() async {
        let server = StubServer([.failure(.connectionLost("the connection broke"))])
        let error = await apiError { () async throws(APIError) in
            try await server.client().delete(.configMaps, name: "a")
        }
        #expect(
            error?.description == "delete /api/v1/namespaces/home/configmaps/a: the connection broke; the server may "
                + "have acted on the request")
    }

    @Test func cancellationIsToldApart() async {
        let server = StubServer([.failure(.cancelled)])
        let error = await apiError { () async throws(APIError) in
            try await server.client().get(.configMaps, name: "a")
        }
        #expect(error?.isCancelled == true)
    }
}
