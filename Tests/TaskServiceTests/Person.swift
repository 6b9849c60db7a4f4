import HTTPTransport
import HTTPTypes
import Recurrence
import StructuredData
import Testing
import TodoModel

/// Somebody with an account of their own.
struct Person: Sendable {
    let service: RunningService
    let email: String
    let id: String
    let token: String

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, headers: HTTPFields = [:]
    ) async throws -> RunningService.Answer {
        try await service.send(method, path, body, headers: headers, token: token)
    }

    /// What a POST made.
    func make(_ path: String, _ body: JSON, sourceLocation: SourceLocation = #_sourceLocation) async throws -> JSON {
        let answer = try await send(.post, path, body)
        #expect([200, 201].contains(answer.status), "\(answer.text)", sourceLocation: sourceLocation)
        return answer.json
    }

    /// The titles of what a query finds.
    func titles(_ query: String = "") async throws -> [String] {
        let page = try await send(.get, "/v1/tasks?q=\(query)&limit=200")
        return (page.json["items"]?.array ?? []).compactMap { $0["title"]?.string }
    }
}

extension RunningService {
    static let password = "correct horse"

    /// Makes an account and signs in.
    func person(_ name: String) async throws -> Person {
        let email = "\(name)@example.com"
        let user = try await send(
            .post, "/v1/accounts", ["email": .string(email), "password": .string(Self.password)], token: nil)
        #expect(user.status == 201, "\(user.text)")
        let session = try await send(
            .post, "/v1/sessions", ["email": .string(email), "password": .string(Self.password)], token: nil)
        #expect(session.status == 201, "\(session.text)")
        return Person(
            service: self, email: email, id: user.json["id"]?.string ?? "", token: session.json["token"]?.string ?? "")
    }
}

extension JSON {
    var id: String { self["id"]?.string ?? "" }
}

extension ZoneTable {
    /// The day that it is there, and will be to the end of a test: shortly before midnight it waits for the next.
    func today() async throws -> CivilDate {
        while true {
            let now = Int(Instant.now().millisecondsSince1970 / 1000)
            let day = local(at: now).date
            if local(at: now + 180).date == day { return day }
            try await Task.sleep(for: .seconds(1))  // the day itself, which has three minutes at most
        }
    }
}
