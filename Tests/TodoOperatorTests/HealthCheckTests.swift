import ObjectHealth
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// The script by which Argo CD judges our objects, run by a real Lua over the statuses that the operator writes.
@Suite(.enabled(if: ArgoHealth.lua != nil, "lua5.4 is missing")) struct HealthCheckTests {
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
        return try await ArgoHealth.judge([object]).flatMap { [$0.status, $0.message] }
    }
}
