import Concurrency
import ControllerRuntime
import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoModel
import TodoResources
import TodoStore

@testable import TodoOperator

@Suite(.timeLimit(.minutes(10))) struct ReminderScheduleReconcilerTests {
    static let type = TodoGroup.reminderSchedule
    static let spec: JSON = [
        "appRef": ["name": "todo"], "schedule": ["offsets": ["1d", "2h30m"]], "selector": "priority>=high",
        "channels": ["Email", "InApp"], "quietHours": ["from": "22:00", "to": "07:00", "policy": "Drop"],
        "catchUp": ["window": "3d", "policy": "Latest"],
    ]

    /// An app that is up, and a schedule.
    private func withApp(_ spec: JSON = Self.spec, _ body: (OperatorHarness) async throws -> Void) async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp()
            try await cluster.whenReason(.migrated, of: .databaseReady)
            try await cluster.createSchedule(spec)
            try await body(cluster)
        }
    }

    private func kept(_ cluster: OperatorHarness) -> ReminderPolicy? {
        cluster.policies.kept.withLock { $0.values.first }
    }

    @Test func aScheduleBecomesAPolicyAndTellsWhatCameOfIt() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            let policy = try #require(kept(cluster))
            #expect(policy.schedule == .offsets([150, 1440]))
            #expect(policy.selector == "priority>=high")
            #expect(policy.channels == [.email, .inApp])
            #expect(policy.quietHours?.policy == .drop)
            #expect(policy.quietHours?.from.text == "22:00")
            #expect(policy.catchUp == CatchUp(window: .seconds(3 * 86_400), policy: .latest))
            #expect(policy.namespace == "team" && policy.name == "important")
            let object = try #require(try await cluster.find(Self.type, "important"))
            let status = object["status"]
            #expect(
                status?["planned"] == 3 && status?["fired"] == 2 && status?["delivered"] == 2 && status?["expired"] == 1
            )
            #expect(status?["nextFireTime"] == "2026-01-02T08:00:00Z")
            #expect(status?["latenessP99Milliseconds"] == 5)
            #expect(status?["observedGeneration"] == 1)
            #expect(policy.id.uuidString.lowercased() == object.at("metadata", "uid")?.string)
        }
    }

    @Test(
        arguments: [
            (["selector": "priority>=hihg"], .invalidSelector, "character 11"),
            (["selector": "due<=today"], .invalidSelector, "today"),
            (["schedule": ["offsets": .null, "cron": "0 25 * * *"]], .invalidSchedule, "spec.schedule.cron"),
            (["schedule": ["offsets": .null, "rrule": "FREQ=DALY"]], .invalidSchedule, "spec.schedule.rrule"),
            (["schedule": ["offsets": .null, "cron": "0 0 30 2 *"]], .invalidSchedule, "never due"),
            (["schedule": ["offsets": .null, "rrule": "FREQ=DAILY;COUNT=3"]], .invalidSchedule, "not due any more"),
            (
                ["schedule": ["offsets": .null, "cron": "0 8 * * *", "timeZone": "Europe/Berln"]], .invalidSchedule,
                "time zone database"
            ),
        ] as [(JSON, ConditionReason, String)])
    func whatIsWrongIsToldWithItsPlaceAndTheLastGoodPolicyGoesOn(
        change: JSON, reason: ConditionReason, text: String
    ) async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            let before = kept(cluster)
            try await cluster.patch(Self.type, "important", ["spec": change])
            let message = try await cluster.whenSchedule(reason)["message"]?.string
            #expect(message?.contains(text) == true, "\(message ?? "")")
            #expect(try await cluster.scheduleCondition(.stalled)?["status"] == "True")
            #expect(kept(cluster) == before)
            var good = Self.spec
            for other in ["cron", "rrule", "timeZone"] { good.set(.null, at: "schedule", other) }
            try await cluster.patch(Self.type, "important", ["spec": good])
            try await cluster.whenSchedule(.scheduled)
            #expect(try await cluster.scheduleCondition(.stalled) == nil)
        }
    }

    @Test func itWaitsForItsAppAndGoesOnWhenThatIsThere() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSchedule(Self.spec)
            try await cluster.whenSchedule(.appNotFound)
            try await cluster.createApp()
            try await cluster.whenSchedule(.appNotReady)
            try await cluster.createSecret()
            try await cluster.whenSchedule(.scheduled)
        }
    }

    @Test func aDeletedScheduleTakesItsPolicyAlong() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            try await cluster.person.delete(Self.type, namespace: "team", name: "important")
            try await cluster.whenGone(Self.type, "important")
            #expect(kept(cluster) == nil)
        }
    }

    @Test func aScheduleStaysUntilItsPolicyIsGone() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            cluster.policies.fail(DatabaseProblem(.connectionFailed, "no answer"))
            try await cluster.person.delete(Self.type, namespace: "team", name: "important")
            _ = try await eventually("it was tried") {
                cluster.logs.lines.contains { $0.contains("no answer") } ? true : nil
            }
            #expect(try await cluster.find(Self.type, "important") != nil)
            cluster.policies.fail(nil)
            try await cluster.whenGone(Self.type, "important")
        }
    }

    /// Promise 7: what has nothing left outside goes at once.
    @Test func aScheduleWhoseAppIsGoneGoesWithoutADatabase() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            try await cluster.person.delete(TodoGroup.todoApp, namespace: "team", name: "todo")
            try await cluster.whenGone(TodoGroup.todoApp, "todo")
            cluster.policies.fail(DatabaseProblem(.connectionFailed, "no answer"))
            try await cluster.person.delete(Self.type, namespace: "team", name: "important")
            try await cluster.whenGone(Self.type, "important")
        }
    }

    /// The next app may have the same database.
    @Test func aScheduleThatIsDeletedWithItsAppTakesItsPolicyAlong() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["metadata": ["finalizers": ["example.com/wait"]]])
            try await cluster.person.delete(TodoGroup.todoApp, namespace: "team", name: "todo")
            try await cluster.settle()
            try await cluster.person.delete(Self.type, namespace: "team", name: "important")
            try await cluster.whenGone(Self.type, "important")
            #expect(kept(cluster) == nil)
        }
    }

    /// Nobody was left to remove it when its schedule went.
    /// Deletes the app before its schedule. Returns the policy, which is there after both.
    private func outlive(_ cluster: OperatorHarness) async throws -> ReminderPolicy {
        let orphan = try #require(kept(cluster))
        try await cluster.delete(TodoGroup.todoApp, "todo")
        try await cluster.whenGone(TodoGroup.todoApp, "todo")
        try await cluster.settle()
        try await cluster.delete(Self.type, "important")
        try await cluster.whenGone(Self.type, "important")
        #expect(kept(cluster) == orphan)
        return orphan
    }

    /// The workers of a suspended app go on reminding.
    @Test func aPolicyThatOutlivedItsScheduleGoesAlsoWhenTheNextAppIsSuspended() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            _ = try await outlive(cluster)
            try await cluster.createApp(["database": ["secretRef": ["name": "todo-db"]], "suspend": true])
            _ = try await eventually("the policy is gone") { kept(cluster) == nil ? true : nil }
        }
    }

    @Test func aPolicyThatOutlivedItsScheduleGoesWhenAnAppIsMadeOnItsDatabase() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            var others = try await outlive(cluster)
            (others.id, others.namespace) = (UUID(), "another-team")
            cluster.policies.kept.withLock { [others] in $0[others.id] = others }
            try await cluster.createSchedule(Self.spec)
            try await cluster.createApp()
            try await cluster.whenSchedule(.scheduled)
            let uid = try await cluster.find(Self.type, "important")?.at("metadata", "uid")?.string
            let own = try #require(UUID(uuidString: uid ?? ""))
            #expect(cluster.policies.kept.withLock { Set($0.keys) } == [own, others.id])
        }
    }

    /// The pass that was under way all the time ends, and the next one is for another app.
    @Test func aPolicyThatOutlivedItsScheduleGoesAlsoWhereNoPassSawItsAppGo() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            try await cluster.settle()
            let passes = cluster.database.prepared.withLock { $0.count }
            cluster.database.gate.close()
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["database": ["poolSize": 8]]])
            _ = try await eventually("a pass waits for the database") {
                cluster.database.prepared.withLock { $0.count } > passes ? true : nil
            }
            try await cluster.delete(TodoGroup.todoApp, "todo")
            try await cluster.whenToldGone(TodoGroup.todoApp, "todo")
            try await cluster.delete(Self.type, "important")
            try await cluster.whenGone(Self.type, "important")
            #expect(kept(cluster) != nil)
            try await cluster.createApp()
            cluster.database.gate.open()
            _ = try await eventually("the policy is gone") { kept(cluster) == nil ? true : nil }
        }
    }

    /// As after a restart: what is there stays.
    @Test func policiesWhoseSchedulesAreThereStayWhenTheOperatorComesBack() async throws {
        try await withApp { cluster in
            try await cluster.whenSchedule(.scheduled)
            let before = kept(cluster)
            cluster.database.fail(DatabaseProblem(.connectionFailed, "no answer"))
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["database": ["poolSize": 8]]])
            try await cluster.whenReason(.connectionFailed, of: .databaseReady)
            cluster.database.fail(nil)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["database": ["poolSize": 9]]])
            try await cluster.whenReason(.migrated, of: .databaseReady)
            #expect(kept(cluster) == before)
            #expect(cluster.reads.withLock { $0.contains { $0.hasSuffix("/namespaces/team/reminderschedules") } })
        }
    }

    @Test func aSuspendedScheduleIsReadyAndSaysSo() async throws {
        try await withApp { cluster in
            try await cluster.patch(Self.type, "important", ["spec": ["suspend": true]])
            try await cluster.whenSchedule(.suspended)
            #expect(kept(cluster)?.isSuspended == true)
        }
    }

    @Test func itIsNotReadyWhileItsRemindersAreBeingPlanned() async throws {
        let cluster = try await OperatorHarness()
        cluster.policies.outcome.withLock { $0.isPlanning = true }
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp()
            try await cluster.createSchedule(Self.spec)
            try await cluster.whenSchedule(.progressing)
        }
    }

    /// The workers of an app work on its database, and end with it.
    @Test func theWorkersOfAnAppFollowItsSpec() async throws {
        let cluster = try await OperatorHarness()
        try await cluster.whileRunning {
            try await cluster.createSecret()
            try await cluster.createApp()
            try await cluster.bringUpPods()
            try await cluster.whenReason(.allReady)
            let key = ObjectKey(namespace: "team", name: "todo")
            let database = AppDatabase(uri: "postgresql://todo:secret@db:5432/todo", tlsMode: .verifyFull)
            #expect(cluster.workers.databases.withLock { $0[key] } == database)
            cluster.workers.become(.failed("broken"))
            let failed = try await cluster.whenReason(.workersFailed)
            #expect(failed["message"]?.string?.contains("broken") == true)
            cluster.workers.become(.running)
            try await cluster.whenReason(.allReady)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["workers": ["placement": "Dedicated"]]])
            try await cluster.whenReason(.rollingOut)
            #expect(cluster.workers.databases.withLock { $0[key] } == nil)
            try await cluster.bringUpPods(of: AppStatusRulesTests.services + [.workers])
            try await cluster.whenReason(.allReady)
            try await cluster.patch(TodoGroup.todoApp, "todo", ["spec": ["workers": ["placement": "Embedded"]]])
            try await cluster.whenGone(DesiredState.deploymentType, "todo-workers")
            try await cluster.person.delete(TodoGroup.todoApp, namespace: "team", name: "todo")
            _ = try await eventually("the workers end") {
                cluster.workers.databases.withLock { $0.isEmpty } ? true : nil
            }
        }
    }
}

extension OperatorHarness {
    func createSchedule(_ spec: JSON) async throws {
        _ = try await person.create(
            KubernetesObject([
                "apiVersion": "todo-operator.dev/v1alpha1", "kind": "ReminderSchedule",
                "metadata": ["name": "important"], "spec": spec,
            ]), TodoGroup.reminderSchedule, namespace: "team")
    }

    func scheduleCondition(_ type: ConditionType) async throws -> JSON? {
        try await find(TodoGroup.reminderSchedule, "important")?.at("status", "conditions")?.array?
            .first { $0["type"]?.string == type.rawValue }
    }

    /// Waits until `Ready` has this reason, and gives it.
    @discardableResult
    func whenSchedule(
        _ reason: ConditionReason, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSON {
        try await eventually("the schedule's Ready is \(reason.rawValue)", sourceLocation: sourceLocation) {
            let condition = try await self.scheduleCondition(.ready)
            return condition?["reason"]?.string == reason.rawValue ? condition : nil
        }
    }

    func whenGone(
        _ type: ResourceType, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        _ = try await eventually("\(type.kind) \(name) is gone", sourceLocation: sourceLocation) {
            try await self.find(type, name) == nil ? true : nil
        }
    }
}
