import Concurrency
import ControllerRuntime
import KubernetesClient
import Logging
import StructuredData

/// A small operator on a fake server and a fake clock: each App gets a ConfigMap with `spec.value`, and a status.
final class TestOperator: Sendable {
    let time = ManualTime()
    let server = FakeServer()
    let manager: Manager
    let apps: Informer
    let maps: Informer
    let topics: Informer
    let controller: Controller
    let passes = Lock<[ObjectKey: Int]>([:])
    /// Called at the beginning of each pass.
    let hook = Lock<(@Sendable (ReconcileContext) async throws -> ReconcileResult?)?>(nil)

    init(
        election: LeaderElector.Options? = nil, logger: Logger = quiet, onLoss: @escaping @Sendable () -> Void = {}
    ) {
        var options = Manager.Options(name: "test-operator", identity: election?.identity, election: election)
        options.onLeadershipLost = { _ in onLoss() }
        manager = Manager(client: server, options: options, time: time, logger: logger)
        apps = manager.informer(.app)
        maps = manager.informer(.configMap)
        topics = manager.informer(.topic, .init(isOptional: true))
        let (passes, hook) = (passes, hook)
        controller = manager.controller("app", for: apps) { context in
            passes.withLock { $0[context.key, default: 0] += 1 }
            if let result = try await hook.withLock({ $0 })?(context) { return result }
            return try await Self.reconcile(context)
        }.owns(maps, when: .ownedFieldsChanged, soonWhen: Predicate { $0.new?.object.status != $0.old?.object.status })
            .watches(topics) { _ in [] }
    }

    private static func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let app = context.object else { return .done }
        let desired = KubernetesObject([
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": [
                "name": JSON(app.name), "namespace": JSON(app.namespace ?? ""),
                "ownerReferences": [app.controllerReference],
            ],
            "data": ["value": app.spec?["value"] ?? ""],
        ])
        let outcome = try await context.apply(desired, .configMap)
        var status: JSON = ["observedGeneration": JSON(app.generation)]
        if case .stalled = outcome { status["stalled"] = true }
        try await context.updateStatus(status)
        return .done
    }

    func intervene(_ body: (@Sendable (ReconcileContext) async throws -> ReconcileResult?)?) {
        hook.withLock { $0 = body }
    }

    func passes(_ name: String) -> Int { passes.withLock { $0[key(name)] ?? 0 } }
    func map(_ name: String) -> KubernetesObject? { server.object(.configMap, key(name)) }
    func value(_ name: String) -> String? { map(name)?.json.at("data", "value")?.string }
    func status(_ name: String) -> JSON? { server.object(.app, key(name))?.status }

    /// Runs the operator while `body` does, then stops it.
    func running(_ body: () async throws -> Void) async throws {
        let run = Task { try await manager.run() }
        defer { run.cancel() }
        try await body()
    }

    /// Moves the clock on in steps, giving the operator time to act in each, until `condition` holds.
    func advance(
        _ what: String = "the condition holds", limit: Duration, step: Duration = .milliseconds(500),
        _ condition: () -> Bool
    ) async throws {
        try await time.advance(until: what, limit: limit, step: step, condition)
    }

    /// Lets the clock run for `duration`, the operator acting meanwhile.
    func pass(_ duration: Duration, step: Duration = .seconds(1)) async {
        let end = time.now.advanced(by: duration)
        while time.now < end {
            time.advance(by: step)
            for _ in 0..<30 { await Task.yield() }
        }
    }

    /// Everything that the server has sent is worked off.
    func settled() async throws {
        try await until("the operator has nothing left to do") { [self] in
            controller.isIdle && apps.store.count == server.objects(.app).count
                && server.objects(.app).allSatisfy {
                    apps.store.stored(ObjectKey($0))?.resourceVersion == $0.resourceVersion
                }
                && server.objects(.configMap).allSatisfy {
                    maps.store.stored(ObjectKey($0))?.resourceVersion == $0.resourceVersion
                }
        }
    }
}
