@testable import ControllerRuntime
import Concurrency
import KubernetesClient
import Logging
import StructuredData
import Testing

/// At what level a failed pass is logged: a person is to be alarmed by what a person has to mend, and by nothing else.
@Suite(.timeLimit(.minutes(10))) struct FailureLogTests {
    static let terminating = Status(
        code: 403, reason: "Forbidden", message: "namespace ns is being terminated",
        causes: [Status.Cause(reason: "NamespaceTerminating", message: "")])

    func app(_ name: String) -> KubernetesObject { object(name, ["spec": ["value": "v1"]]) }

    /// The levels of the first `count` failures of a pass that throws `error` each time.
    func levels(of error: APIError, _ count: Int, going: Bool = false) async throws -> [Logger.Level] {
        let log = LogRecorder()
        let op = TestOperator(logger: Logger(label: "test") { _ in log })
        op.intervene { _ in throw error }
        var app = app("a")
        if going {
            app.json.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp")
            app.json.set(["example.com/f"], at: "metadata", "finalizers")
        }
        op.server.put(app)
        func failures() -> [Logger.Level] {
            log.lines.filter { $0.text.hasPrefix("reconcile failed") }.map(\.level)
        }
        try await op.running {
            try await op.advance("it has failed often enough", limit: .seconds(300)) { failures().count >= count }
        }
        return Array(failures().prefix(count))
    }

    @Test func aConflictAlarmsNobodyHoweverOften() async throws {
        #expect(try await levels(of: apiError(409, "Conflict"), 12).allSatisfy { $0 == .debug })
    }

    @Test func aNamespaceThatIsGoingAwayAlarmsNobody() async throws {
        let error = APIError(verb: "apply", path: "/", cause: .status(Self.terminating))
        #expect(try await levels(of: error, 12).allSatisfy { $0 == .debug })
    }

    @Test func whatIsMissingForAMomentAlarmsNobodyAndWhatStaysAwayDoes() async throws {
        let levels = try await levels(of: apiError(404, "NotFound"), 10)
        #expect(levels == [Logger.Level](repeating: .debug, count: 7) + [.error, .error, .error])
    }

    @Test(arguments: [404, 403])
    func aPassOverAnObjectThatIsGoingAlarmsNobody(code: Int) async throws {
        #expect(try await levels(of: apiError(code), 10, going: true).allSatisfy { $0 == .debug })
    }

    @Test(arguments: [403, 422, 500])
    func whatAPersonHasToMendIsAnErrorAtOnce(code: Int) async throws {
        #expect(try await levels(of: apiError(code), 2) == [.error, .error])
    }
}
