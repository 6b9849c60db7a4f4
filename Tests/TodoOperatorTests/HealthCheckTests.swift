import ChildProcess
import Foundation
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

private let lua = try? ChildProcess.find("lua5.4", in: ProcessInfo.processInfo.environment["PATH"] ?? "")

/// The script by which Argo CD judges our objects, run by a real Lua over the statuses that the operator writes.
@Suite(.enabled(if: lua != nil, "lua5.4 is missing")) struct HealthCheckTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "manifests/gitops/argocd/health/todo.lua")

    @Test func anAppIsAsHealthyAsItsConditionsSay() async throws {
        let up = AppObservation(
            database: .ready(schemaVersion: 1), workers: .running,
            deployments: AppStatusRulesTests.all(AppStatusRulesTests.deployment(updated: 2, ready: 2)))
        var rolling = up
        rolling.deployments = AppStatusRulesTests.all(AppStatusRulesTests.deployment(updated: 1, ready: 1))
        var failed = up
        failed.deployments = AppStatusRulesTests.all(
            AppStatusRulesTests.deployment(updated: 1, ready: 1, progressing: "ProgressDeadlineExceeded"))
        let refused = AppObservation(refusal: .nameTaken("taken"), database: .ready(schemaVersion: 1))
        for (observation, health) in [
            (up, "Healthy"), (rolling, "Progressing"), (failed, "Degraded"), (refused, "Degraded"),
            (AppObservation(database: .failed(.secretNotFound, "create it")), "Progressing"),
        ] {
            let app = try AppStatusRulesTests.app()
            let status = AppStatusRules.status(of: app, seeing: observation, now: AppStatusRulesTests.now)
            let ready = status.conditions?.first { $0.type == "Ready" }
            let answer = try await judge(JSON(encoding: status), generation: 7)
            #expect(answer == [health, ready?.message ?? "none"])
        }
        let app = try AppStatusRulesTests.app()
        let suspended = AppStatusRules.status(ofSuspended: app, now: AppStatusRulesTests.now)
        #expect(try await judge(JSON(encoding: suspended), generation: 7).first == "Suspended")
    }

    @Test func aScheduleIsAsHealthyAsItsConditionsSay() async throws {
        for (observation, health) in [
            (ScheduleObservation.refused(.invalidSelector, "no"), "Degraded"),
            (.waiting(.appNotFound, "wait"), "Progressing"),
        ] {
            let status = ScheduleStatusRules.status(
                after: nil, generation: 2, seeing: observation, now: AppStatusRulesTests.now)
            #expect(try await judge(JSON(encoding: status), generation: 2).first == health)
        }
    }

    @Test func whatTheOperatorHasNotSeenYetIsNotJudgedByWhatItWas() async throws {
        let ready: JSON = [
            "observedGeneration": 1, "conditions": [["type": "Ready", "status": "True", "message": "up"]],
        ]
        #expect(try await judge(ready, generation: 1).first == "Healthy")
        #expect(try await judge(ready, generation: 2).first == "Progressing")
        #expect(try await judge(.null, generation: 1).first == "Progressing")
        #expect(try await judge(["observedGeneration": 1], generation: 1).first == "Progressing")
    }

    /// The health and the message that the script gives an object with this status.
    private func judge(_ status: JSON, generation: Int) async throws -> [String] {
        let object: JSON = ["metadata": ["generation": JSON(generation)], "status": status]
        let script = try String(contentsOf: Self.script, encoding: .utf8)
        let program = """
            local obj = \(Self.literal(object))
            local health = (function() \(script) end)()
            io.write(health.status, "\\n", health.message)
            """
        let file = FileManager.default.temporaryDirectory.appending(path: "health-\(UUID().uuidString).lua")
        try program.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let specification = ChildProcess.Specification(path: try #require(lua), arguments: [file.path])
        guard
            case .ended(.exited(0), let output) = try await ChildProcess.capture(specification, deadline: .seconds(20))
        else { throw TimedOut(description: "lua failed over \(object.text)") }
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The value as Lua writes it.
    private static func literal(_ value: JSON) -> String {
        if value.isNull { return "nil" }
        if let object = value.object {
            return "{\(object.map { "[\(quoted($0.key))] = \(literal($0.value))" }.joined(separator: ", "))}"
        }
        if let array = value.array { return "{\(array.map(literal).joined(separator: ", "))}" }
        return value.string.map(quoted) ?? value.text
    }

    private static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n"))\""
    }
}
