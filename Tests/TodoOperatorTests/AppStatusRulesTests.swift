import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

@Suite struct AppStatusRulesTests {
    static let now = "2026-01-01T00:00:00Z"

    /// Those of an app whose workers run in the operator.
    static let services: [TodoApp.ServiceName] = [.api, .audit, .notification, .realtime]

    static func app(replicas: Int = 2, status: TodoApp.Status? = nil) throws -> TodoApp {
        var object = DesiredStateTests.minimal
        object.set(7, at: "metadata", "generation")
        for service in Self.services {
            object.set(JSON(replicas), at: "spec", "services", service.rawValue, "replicas")
        }
        var app = try TodoApp(validating: object)
        app.status = status
        return app
    }

    static func deployment(
        updated: Int, ready: Int, total: Int? = nil, observed: Int = 4, progressing: String = "ReplicaSetUpdated"
    ) -> JSON {
        [
            "metadata": ["generation": 4],
            "status": [
                "observedGeneration": JSON(observed), "replicas": JSON(total ?? updated),
                "updatedReplicas": JSON(updated),
                "readyReplicas": JSON(ready),
                "conditions": [["type": "Progressing", "reason": .string(progressing), "message": "why"]],
            ],
        ]
    }

    /// Of every service.
    static func all(_ deployment: JSON) -> [String: JSON] {
        let names = services.map { AppNames(app: "todo", namespace: "team").service($0) }
        return Dictionary(uniqueKeysWithValues: names.map { ($0, deployment) })
    }

    func status(_ observation: AppObservation, replicas: Int = 2, previous: TodoApp.Status? = nil) throws -> [String] {
        var observation = observation
        observation.workers = observation.workers ?? .running
        let status = AppStatusRules.status(
            of: try Self.app(replicas: replicas, status: previous), seeing: observation, now: Self.now)
        #expect(status.observedGeneration == 7)
        #expect(status.conditions?.allSatisfy { $0.observedGeneration == 7 } == true)
        return (status.conditions ?? []).map { "\($0.type)=\($0.status.rawValue)/\($0.reason)" }.sorted()
    }

    @Test func everythingUpIsReadyAndNothingElse() throws {
        let seen = AppObservation(
            database: .ready(schemaVersion: 1), deployments: Self.all(Self.deployment(updated: 2, ready: 2)))
        #expect(
            try status(seen) == [
                "DatabaseReady=True/Migrated", "Ready=True/AllReady", "ServicesReady=True/RolledOut",
                "WorkersReady=True/WorkersRunning",
            ])
    }

    @Test func aRolloutUnderWayIsReconciling() throws {
        let seen = AppObservation(
            database: .ready(schemaVersion: 1), deployments: Self.all(Self.deployment(updated: 1, ready: 2)))
        #expect(
            try status(seen) == [
                "DatabaseReady=True/Migrated", "Ready=False/RollingOut", "Reconciling=True/Progressing",
                "ServicesReady=False/RollingOut", "WorkersReady=True/WorkersRunning",
            ])
    }

    @Test func everyServiceCountsAndTheMessageNamesTheOneThatIsMissing() throws {
        var deployments = Self.all(Self.deployment(updated: 2, ready: 2))
        deployments["todo-audit"] = Self.deployment(updated: 2, ready: 1)
        let seen = AppObservation(database: .ready(schemaVersion: 1), deployments: deployments)
        let status = AppStatusRules.status(of: try Self.app(), seeing: seen, now: Self.now)
        #expect(status.services?.map(\.ready) == [2, 1, 2, 2])
        let message = status.conditions?.first { $0.type == "Ready" }?.message
        #expect(message?.hasPrefix("ServicesReady: audit: 2 of 2 pods updated, 1 ready; if that lasts, see") == true)
    }

    @Test(arguments: [
        (WorkerState.starting, "WorkersStarting"), (.failed("out of memory"), "WorkersFailed"),
    ])
    func withoutItsWorkersItIsNotReady(state: WorkerState, reason: String) throws {
        let seen = AppObservation(
            database: .ready(schemaVersion: 1), workers: state,
            deployments: Self.all(Self.deployment(updated: 2, ready: 2)))
        #expect(
            try status(seen) == [
                "DatabaseReady=True/Migrated", "Ready=False/\(reason)", "Reconciling=True/Progressing",
                "ServicesReady=True/RolledOut", "WorkersReady=False/\(reason)",
            ])
    }

    @Test func workersThatRunOutlastADatabaseThatIsAwayForAMoment() throws {
        let up = AppObservation(
            database: .ready(schemaVersion: 1), workers: .running,
            deployments: Self.all(Self.deployment(updated: 2, ready: 2)))
        let before = AppStatusRules.status(of: try Self.app(), seeing: up, now: Self.now)
        let away = AppObservation(database: .failed(.connectionFailed, "no answer"))
        #expect(try status(away, previous: before).contains("WorkersReady=True/WorkersRunning"))
    }

    @Test(arguments: [(2, "WorkersReady=True/WorkersRunning"), (1, "WorkersReady=False/WorkersStarting")])
    func dedicatedWorkersAreAsTheirPods(ready: Int, condition: String) throws {
        var app = try Self.app()
        app.spec.workers.placement = .dedicated
        var deployments = Self.all(Self.deployment(updated: 2, ready: 2))
        deployments["todo-workers"] = Self.deployment(updated: 2, ready: ready)
        let seen = AppObservation(database: .ready(schemaVersion: 1), deployments: deployments)
        let status = AppStatusRules.status(of: app, seeing: seen, now: Self.now)
        #expect(status.conditions?.map { "\($0.type)=\($0.status.rawValue)/\($0.reason)" }.contains(condition) == true)
        #expect(status.services?.map(\.name) == ["api", "audit", "notification", "realtime", "workers"])
    }

    @Test func aStatusOfAnOlderGenerationIsNotBelieved() throws {
        let stale = Self.deployment(updated: 2, ready: 2, observed: 3)
        let seen = AppObservation(database: .ready(schemaVersion: 1), deployments: Self.all(stale))
        #expect(try status(seen).contains("Ready=False/RollingOut"))
    }

    @Test func podsOfTheOldTemplateKeepItFromBeingReady() throws {
        let seen = AppObservation(
            database: .ready(schemaVersion: 1), deployments: Self.all(Self.deployment(updated: 2, ready: 2, total: 3)))
        #expect(try status(seen).contains("Ready=False/RollingOut"))
    }

    @Test func aFailedRolloutIsStalled() throws {
        let failed = Self.deployment(updated: 1, ready: 0, progressing: "ProgressDeadlineExceeded")
        #expect(
            try status(AppObservation(database: .ready(schemaVersion: 1), deployments: Self.all(failed))) == [
                "DatabaseReady=True/Migrated", "Ready=False/RolloutFailed", "ServicesReady=False/RolloutFailed",
                "Stalled=True/RolloutFailed", "WorkersReady=True/WorkersRunning",
            ])
    }

    /// There is no pod that anybody could be sent to look at.
    @Test(arguments: ["ReplicaSetUpdated", "ProgressDeadlineExceeded"])
    func whyNoPodCanBeMadeIsTold(progressing: String) throws {
        let words = #"pods "todo-api-1" is forbidden: exceeded quota: small"#
        var deployment = Self.deployment(updated: 0, ready: 0, progressing: progressing)
        let before = DeploymentProgress(deployment)
        let conditions = deployment.at("status", "conditions")?.array ?? []
        let refused: JSON = [
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": .string(words),
        ]
        deployment.set(.array(conditions + [refused]), at: "status", "conditions")
        #expect(DeploymentProgress(deployment) != before, "else nothing brings a pass")
        let seen = AppObservation(
            database: .ready(schemaVersion: 1), workers: .running, deployments: Self.all(deployment))
        let status = AppStatusRules.status(of: try Self.app(), seeing: seen, now: Self.now)
        let message = status.conditions?.first { $0.type == "ServicesReady" }?.message ?? ""
        #expect(message.hasPrefix("api: 0 of 2 pods are ready, and Kubernetes can make no more: \(words); see"))
        let ready = status.conditions?.first { $0.type == "Ready" }
        #expect(ready?.reason == (progressing == "ReplicaSetUpdated" ? "RollingOut" : "RolloutFailed"))
    }

    @Test func withoutADatabaseTheServicesWait() throws {
        let seen = AppObservation(database: .failed(.secretNotFound, "Secret team/todo-db does not exist"))
        #expect(
            try status(seen) == [
                "DatabaseReady=False/SecretNotFound", "Ready=False/SecretNotFound", "Reconciling=True/Progressing",
                "ServicesReady=False/WaitingForDatabase", "WorkersReady=False/WaitingForDatabase",
            ])
    }

    @Test func noReplicasIsReady() throws {
        let seen = AppObservation(
            database: .ready(schemaVersion: 1), deployments: Self.all(Self.deployment(updated: 0, ready: 0)))
        #expect(try status(seen, replicas: 0).contains("ServicesReady=True/ScaledToZero"))
    }

    @Test func noReplicasRunNoVersion() throws {
        func version(_ replicas: Int, _ updated: Int, _ previous: TodoApp.Status?) throws -> TodoApp.Status {
            let seen = AppObservation(
                database: .ready(schemaVersion: 1),
                deployments: Self.all(Self.deployment(updated: updated, ready: updated)))
            return AppStatusRules.status(
                of: try Self.app(replicas: replicas, status: previous), seeing: seen, now: Self.now)
        }
        let up = try version(2, 2, nil)
        #expect(up.version == ProductVersion.current)
        #expect(try version(0, 1, up).version == ProductVersion.current, "the last pod still runs")
        #expect(try version(0, 0, up).version == nil)
        #expect(try version(2, 0, try version(0, 0, up)).version == nil, "none has started")
    }

    @Test func anUnusableTokenIsNoFaultOfTheDatabase() throws {
        var seen = AppObservation(
            database: .ready(schemaVersion: 1), hindrance: .apiToken("the key token of Secret team/x is empty"),
            deployments: Self.all(Self.deployment(updated: 2, ready: 2)))
        #expect(
            try status(seen) == [
                "DatabaseReady=True/Migrated", "Ready=False/APITokenInvalid", "Reconciling=True/Progressing",
                "ServicesReady=False/APITokenInvalid", "WorkersReady=True/WorkersRunning",
            ])
        seen.hindrance = .predecessor("waiting until Kubernetes has removed Service team/todo-api")
        #expect(try status(seen).contains("ServicesReady=False/WaitingForDeletion"))
        #expect(!seen.isSettled)
    }

    /// What is known of generation 6, and then a pass over generation 7, which has another image, that came to an end early.
    private func status(_ seen: AppObservation, app: TodoApp? = nil) throws -> (TodoApp.Status, [String]) {
        let up = AppObservation(
            database: .ready(schemaVersion: 1), kafka: .ready(.kafkaRunning, ""), dapr: .ready(.sidecarsReady, ""),
            workers: .running, deployments: Self.all(Self.deployment(updated: 2, ready: 2)))
        var app = try app ?? Self.app()
        app.metadata.generation = 6
        app.status = AppStatusRules.status(of: app, seeing: up, now: Self.now)
        app.metadata.generation = 7
        app.spec.image = "todo:next"
        let status = AppStatusRules.status(of: app, seeing: seen, now: Self.now)
        #expect(status.observedGeneration == 7)
        let told = (status.conditions ?? []).filter { $0.type != "Ready" }
        return (
            status, told.map { "\($0.type)=\($0.status.rawValue)/\($0.reason)@\($0.observedGeneration)" }.sorted()
        )
    }

    @Test func whatAPassDidNotGetToIsNotSaidOfTheNewGeneration() throws {
        let pods = Self.all(Self.deployment(updated: 2, ready: 2))
        let (refused, told) = try status(
            AppObservation(refusal: .applyFailed("no"), deployments: pods, waiting: nil))
        #expect(
            told == [
                "DaprReady=True/SidecarsReady@6", "DatabaseReady=True/Migrated@6", "KafkaReady=True/KafkaRunning@6",
                "ServicesReady=True/RolledOut@6", "Stalled=True/ApplyFailed@7", "WorkersReady=True/WorkersRunning@6",
            ])
        #expect(refused.version == ProductVersion.current)
        #expect(refused.services?.map(\.updated) == [0, 0, 0, 0], "none is known to have the new image")
        #expect(refused.services?.map(\.ready) == [2, 2, 2, 2])
        // The migration for the new image may have failed.
        let (failed, others) = try status(
            AppObservation(database: .failed(.migrationFailed, "no"), deployments: pods, waiting: nil))
        #expect(failed.version == ProductVersion.current)
        #expect(others.contains("DatabaseReady=False/MigrationFailed@7"))
        #expect(others.contains("ServicesReady=True/RolledOut@6"))
    }

    @Test func whatAPassSawBeforeItWasRefusedIsToldOfTheNewGeneration() throws {
        var pods = Self.all(Self.deployment(updated: 2, ready: 2))
        let seen = AppObservation(
            refusal: .applyFailed("no"), database: .ready(schemaVersion: 2), kafka: .notReady(.kafkaNotReady, "why"),
            workers: .running, deployments: pods, waiting: [.audit, .notification, .realtime])
        let (status, told) = try status(seen)
        #expect(
            told == [
                "DaprReady=True/SidecarsReady@6", "DatabaseReady=True/Migrated@7", "KafkaReady=False/KafkaNotReady@7",
                "ServicesReady=False/ApplyFailed@7", "Stalled=True/ApplyFailed@7", "WorkersReady=True/WorkersRunning@7",
            ])
        #expect(status.services?.map(\.updated) == [2, 0, 0, 0])
        #expect(status.version == ProductVersion.current)
        #expect(status.conditions?.first { $0.type == "DatabaseReady" }?.message.contains("version 2") == true)
        // Pods that are gone are so of every generation.
        pods["todo-audit"] = Self.deployment(updated: 2, ready: 1)
        let gone = try self.status(AppObservation(refusal: .applyFailed("no"), deployments: pods, waiting: nil))
        #expect(gone.1.contains("ServicesReady=False/RollingOut@7"))
    }

    @Test func dedicatedWorkersThatWereNotLookedAtAreAsTheyWere() throws {
        var app = try Self.app()
        app.spec.workers.placement = .dedicated
        var pods = Self.all(Self.deployment(updated: 2, ready: 2))
        pods["todo-workers"] = Self.deployment(updated: 2, ready: 2)
        let refused = AppObservation(
            refusal: .applyFailed("no"), database: .ready(schemaVersion: 1), deployments: pods, waiting: nil)
        app.status = AppStatusRules.status(
            of: app, seeing: AppObservation(database: .ready(schemaVersion: 1), deployments: pods), now: Self.now)
        app.metadata.generation = 8
        let workers = AppStatusRules.status(of: app, seeing: refused, now: Self.now).conditions?
            .first { $0.type == "WorkersReady" }
        #expect(workers?.status == .yes)
        #expect(workers?.observedGeneration == 7)
    }

    /// Whatever comes first: nobody has to guess why they are not there.
    @Test(arguments: [
        AppObservation(database: .failed(.secretNotFound, "create it"), waiting: nil),
        AppObservation(database: .ready(schemaVersion: 1), hindrance: .apiToken("bad"), waiting: nil),
        AppObservation(refusal: .applyFailed("no"), waiting: nil),
        AppObservation(database: .ready(schemaVersion: 1), kafka: .notReady(.waitingForStrimzi, "wait"), waiting: nil),
    ])
    func whatTheSpecAsksForIsThereFromTheFirstStatusOn(seen: AppObservation) throws {
        var object = DesiredStateTests.minimal
        object.set(["host": "todo.example.com", "ingress": [:]], at: "spec", "web")
        object.set(["serviceMonitor": "Enabled"], at: "spec", "monitoring")
        object.set(
            ["maxReplicas": 3, "targetCPUUtilizationPercentage": 70], at: "spec", "services", "api", "autoscaling")
        var app = try TodoApp(validating: object)
        func told() -> [String] {
            let status = AppStatusRules.status(of: app, seeing: seen, now: Self.now)
            return (status.conditions ?? []).filter { $0.reason == "WaitingForServices" }
                .map { "\($0.type)=\($0.status.rawValue)" }
        }
        #expect(told() == ["AutoscalingReady=False", "EdgeReady=False", "MonitoringReady=False"])
        app.spec.web.ingress = nil
        #expect(told() == ["AutoscalingReady=False", "MonitoringReady=False"])
    }

    /// The API server would refuse the whole status.
    @Test func whatOthersSayAtLengthIsCut() throws {
        let words = String(repeating: "é", count: 40_000)
        let seen = AppObservation(database: .failed(.migrationFailed, words))
        let status = AppStatusRules.status(of: try Self.app(), seeing: seen, now: Self.now)
        let lengths = (status.conditions ?? []).map(\.message.unicodeScalars.count)
        #expect(lengths.max() == 32768)
    }

    @Test func aRefusedSpecIsStalledAndKeepsWhatWasKnown() throws {
        let up = AppObservation(
            database: .ready(schemaVersion: 1), deployments: Self.all(Self.deployment(updated: 2, ready: 2)))
        let before = AppStatusRules.status(of: try Self.app(), seeing: up, now: Self.now)
        let after = AppStatusRules.status(
            ofUnreadable: before, generation: 8, problem: "spec.wat: no such field", now: Self.now)
        #expect(after.version == before.version)
        #expect(after.conditions?.first { $0.type == "Stalled" }?.message == "spec.wat: no such field")
        #expect(after.conditions?.first { $0.type == "Ready" }?.status == .no)
    }

    @Test func versionIsTheTagOfTheImageOnceAllPodsRunIt() throws {
        #expect(AppStatusRules.imageTag("registry:5000/a/todo:1.2@sha256:00") == "1.2")
        #expect(AppStatusRules.imageTag("registry:5000/todo") == "latest")
        #expect(AppStatusRules.imageTag("todo@sha256:00") == "sha256:00")
        let half = AppObservation(
            database: .ready(schemaVersion: 1), deployments: Self.all(Self.deployment(updated: 1, ready: 1)))
        #expect(AppStatusRules.status(of: try Self.app(), seeing: half, now: Self.now).version == nil)
    }

    @Test func suspendedIsNeitherReadyNorStalled() throws {
        let status = AppStatusRules.status(ofSuspended: try Self.app(), now: Self.now)
        #expect(status.conditions?.map(\.type) == ["Ready"])
        #expect(status.conditions?.first?.status == .unknown)
    }
}
