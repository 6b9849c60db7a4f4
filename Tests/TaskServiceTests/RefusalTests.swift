import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct RefusalTests {
    private func expectProblem(
        _ answer: RunningService.Answer, _ status: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.status == status, sourceLocation: sourceLocation)
        #expect(answer.headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
        #expect(answer.json["type"] == "about:blank", sourceLocation: sourceLocation)
        #expect(answer.json["status"] == JSON(status), sourceLocation: sourceLocation)
        #expect(answer.json["title"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
        #expect(answer.json["detail"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    }

    @Test func `without the token nobody gets in`() async throws {
        try await RunningService.with { service in
            let id = try await service.create("x")["id"]?.string ?? ""
            for path in ["/v1/tasks", "/v1/tasks/\(id)"] {
                let answer = try await service.send(.get, path, token: nil)
                expectProblem(answer, 401)
                #expect(answer.headers[.wwwAuthenticate] == #"Bearer realm="todo""#)
            }
            for value in ["Bearer", "Bearer ", "Bearer wrong", "Basic \(RunningService.token)", RunningService.token] {
                let answer = try await service.send(.get, "/v1/tasks", headers: [.authorization: value])
                expectProblem(answer, 401)
                #expect(answer.headers[.wwwAuthenticate] == #"Bearer realm="todo", error="invalid_token""#)
            }
            let lowercase = ["bearer \(RunningService.token)", "BEARER \(RunningService.token)"]
            for value in lowercase {
                #expect(try await service.send(.get, "/v1/tasks", headers: [.authorization: value]).status == 200)
            }
            for path in ["/livez", "/readyz", "/metrics"] {
                let answer = try await service.eventually(.get, path, token: nil) { $0.status != 503 }
                #expect(answer.status == 200)
            }
        }
    }

    @Test func `a wrong field is named`() async throws {
        try await RunningService.with { service in
            let answer = try await service.send(.post, "/v1/tasks", ["title": "", "priority": "top", "x": 1])
            expectProblem(answer, 422)
            #expect(
                answer.errors == [
                    "title: must have 1 to 500 characters",
                    "priority: must be one of none, low, medium, high, urgent", "x: is not a field of a task",
                ])
            let path = "/v1/tasks/\(try await service.create("x")["id"]?.string ?? "")"
            let patch = try await service.send(.patch, path, ["version": 9, "title": nil, "due": ["time": "25:00"]])
            expectProblem(patch, 422)
            #expect(patch.errors.map { $0.prefix { $0 != ":" } } == ["title", "due.time", "due.date"])
            for body in [[1], "text", 5] as [JSON] {
                expectProblem(try await service.send(.patch, path, body), 422)
            }
        }
    }

    @Test(arguments: [
        ("{\"title\": \"a\",\n \"status\"}", "line 2"), ("", "line 1"), ("{\"title\": \"a\"} x", "line 1"),
        (String(repeating: "[", count: 10_000), "line 1"),
    ])
    func `a body that is not JSON is refused with the place`(_ body: String, _ place: String) async throws {
        try await RunningService.with { service in
            let answer = try await service.send(
                .post, "/v1/tasks", bytes: Array(body.utf8),
                headers: [.authorization: "Bearer \(RunningService.token)", .contentType: "application/json"])
            expectProblem(answer, 400)
            #expect(answer.json["detail"]?.string?.contains(place) == true, "\(answer.text)")
        }
    }

    @Test func `a body of another type is refused`() async throws {
        try await RunningService.with { service in
            let path = "/v1/tasks/\(try await service.create("x")["id"]?.string ?? "")"
            for type in ["text/plain", "application/x-www-form-urlencoded", "application/json-patch+json"] {
                for (method, path) in [(HTTPRequest.Method.post, "/v1/tasks"), (.patch, path)] {
                    expectProblem(
                        try await service.send(method, path, ["title": "y"], headers: [.contentType: type]), 415)
                }
            }
            for type in ["application/merge-patch+json", "Application/JSON; charset=utf-8"] {
                let answer = try await service.send(.patch, path, ["title": "y"], headers: [.contentType: type])
                #expect(answer.status == 200)
            }
        }
    }

    @Test func `a body over one MiB is refused, and the connection lives`() async throws {
        try await RunningService.with { service in
            let notes = JSON.string(String(repeating: "a", count: 1 << 20))
            expectProblem(try await service.send(.post, "/v1/tasks", ["title": "x", "description": notes]), 413)
            let large = JSON.string(String(repeating: "a", count: 3 << 20))
            expectProblem(try await service.send(.post, "/v1/tasks", ["title": "x", "description": large]), 413)
            #expect(try await service.send(.get, "/v1/tasks").status == 200)
        }
    }

    @Test(arguments: [
        ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=", "limit"),
        ("q=priority:top", "q"), ("q=%ff", "q"), ("q=%0", "q"), ("q=a%00", "q"), ("cursor=abc", "cursor"),
        ("deleted=maybe", "deleted"), ("project=x", "project"), ("cursor=W10", "cursor"),
    ])
    func `a wrong query is refused by name`(_ query: String, _ parameter: String) async throws {
        try await RunningService.with { service in
            let answer = try await service.send(.get, "/v1/tasks?\(query)")
            expectProblem(answer, 400)
            #expect(answer.json["errors"]?[0]?["field"]?.string == parameter)
        }
    }

    @Test func `what is not there is a problem, too`() async throws {
        try await RunningService.with { service in
            for path in ["/v1", "/v1/task", "/v2/tasks", "/v1/tasks/x/y"] {
                expectProblem(try await service.send(.get, path), 404)
            }
            for id in ["x", "01890a5d-ac96-774b-bcce-b302099a8057"] {
                expectProblem(try await service.send(.get, "/v1/tasks/\(id)"), 404)
            }
        }
    }

    @Test func `a method that a resource does not know is refused with those that it knows`() async throws {
        try await RunningService.with { service in
            let list = try await service.send(.put, "/v1/tasks", ["title": "x"])
            expectProblem(list, 405)
            #expect(list.headers[.allow] == "GET, HEAD, POST")
            let one = try await service.send(.post, "/v1/tasks/01890a5d-ac96-774b-bcce-b302099a8057", [:])
            expectProblem(one, 405)
            #expect(one.headers[.allow] == "GET, HEAD, PATCH, DELETE")
        }
    }
}
