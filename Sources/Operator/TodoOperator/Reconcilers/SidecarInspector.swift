internal import Concurrency
internal import ControllerRuntime
internal import HTTPTransport
internal import HTTPTypes
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Asks the Dapr sidecars themselves what they have loaded: the kinds of dapr.io have no status (contracts, section 4).
///
/// An app's pods are listed, and asked, when its Deployments or what is expected of them have changed, again after 1, 2, 4
/// and 8 s and then every 10 s until all is well, and every 300 s after that. In between what was said last holds; so it
/// does, by the condition that the status has, for an app that has to wait for its turn, as all have to once an operator
/// has started.
final class SidecarInspector: Sendable {
    /// Where a sidecar serves its health and metadata on all interfaces, and to everybody (contracts, section 2).
    static let port = 3501
    static let podType = ResourceType(group: "", version: "v1", kind: "Pod", plural: "pods")
    /// Those of a service are alike: a few are asked, the newest, with which what is new goes wrong.
    private static let podsOfEach = 3
    private static let timeout = Duration.seconds(2)
    private static let answerLimit = 1 << 20
    /// How many apps are asked at a time, so that pods that nobody can reach do not hold up the passes of all others.
    private static let appsAtOnce = 2
    /// Of `DaprReady`, what is no longer true once there are pods to ask.
    private static let passing = [ConditionReason.daprNotInstalled, .waitingForKafka, .scaledToZero].map(\.rawValue)
    /// A little less than the interval of the passes that look at everything.
    private static let validity = Duration.seconds(290)

    struct Inspection {
        /// Nil where what was said last holds.
        let area: AppObservation.Area?
        /// When to ask again; nil where something else brings the next pass.
        let askAgain: Duration?
    }

    private struct Subject: Hashable {
        let expectations: [SidecarExpectation]
        let deployments: [Progress?]

        struct Progress: Hashable {
            let generation: Int
            let progress: DeploymentProgress
        }
    }

    private struct Record {
        let subject: Subject
        let area: AppObservation.Area
        /// How often in a row it was not well.
        let failures: Int
        let due: Instant
    }

    private let transport: any HTTPTransport
    private let records = Lock<[ObjectKey: Record]>([:])
    /// The apps that are being asked.
    let turns = Turns(atOnce: appsAtOnce)

    init(_ transport: any HTTPTransport) { self.transport = transport }

    func forget(_ app: ObjectKey) {
        records.withLock { $0[app] = nil }
        turns.leave(app)
    }

    /// - Parameter deployments: the live ones, by name.
    func inspect(
        _ app: TodoApp, _ plan: TopicPlan, deployments: [String: JSON], _ context: ReconcileContext
    ) async throws -> Inspection {
        let expectations = SidecarExpectation.all(of: app, plan).filter { one in
            !(deployments[one.appID].map { DeploymentProgress($0).isAtZero } ?? false)
        }
        guard !expectations.isEmpty else {
            forget(context.key)
            return Inspection(
                area: .ready(.scaledToZero, "no service has pods, so there is no sidecar to ask"), askAgain: nil)
        }
        let live = expectations.map { deployments[$0.appID] }
        let subject = Subject(
            expectations: expectations,
            deployments: live.map { deployment in
                deployment.map {
                    .init(generation: $0.at("metadata", "generation")?.int ?? 0, progress: DeploymentProgress($0))
                }
            })
        let known = records.withLock { $0[context.key] }.flatMap { $0.subject == subject ? $0 : nil }
        if let known, context.time.now < known.due { return Self.inspection(known, context.time.now) }
        let up = expectations.filter { DeploymentProgress(deployments[$0.appID] ?? .null).ready > 0 }
        // Where there is nobody to ask it takes no time.
        guard up.isEmpty || turns.take(context.key) else {
            return Inspection(area: Self.isKnown(app) ? nil : Self.aboutToBeAsked, askAgain: nil)
        }
        defer { turns.end(context.key) }
        let area = try await judge(expectations, up: up, app, context)
        let now = context.time.now
        let failures = area.isReady ? 0 : (known?.failures ?? 0) + 1
        let wait = area.isReady ? Self.validity : min(.seconds(1 << min(failures - 1, 4)), .seconds(10))
        let record = Record(subject: subject, area: area, failures: failures, due: now.advanced(by: wait))
        records.withLock { $0[context.key] = record }
        return Self.inspection(record, now)
    }

    private static let aboutToBeAsked = AppObservation.Area.notReady(
        .waitingForPods, "the sidecars are about to be asked")

    /// Whether the status says what its sidecars said.
    private static func isKnown(_ app: TodoApp) -> Bool {
        app.status?.conditions?.contains { $0.type == ConditionType.daprReady.rawValue && !passing.contains($0.reason) }
            ?? false
    }

    /// While pods are awaited, that they come is told by their Deployments.
    private static func inspection(_ record: Record, _ now: Instant) -> Inspection {
        let isAwaited = record.subject.deployments.contains { ($0?.progress.ready ?? 0) == 0 }
        if record.area.isReady { return Inspection(area: record.area, askAgain: nil) }
        if case .notReady(.waitingForPods, _) = record.area, isAwaited {
            return Inspection(area: record.area, askAgain: nil)
        }
        return Inspection(area: record.area, askAgain: max(.milliseconds(1), record.due - now))
    }

    private func judge(
        _ expectations: [SidecarExpectation], up: [SidecarExpectation], _ app: TodoApp, _ context: ReconcileContext
    ) async throws -> AppObservation.Area {
        var awaited = expectations.filter { !up.contains($0) }.map(\.service.rawValue)
        if !up.isEmpty {
            let pods: [TodoApp.ServiceName: [KubernetesObject]]
            do { pods = try await readyPods(of: app, context) } catch let error as APIError {
                let remedy = error.isForbidden ? "let its ServiceAccount list pods there" : "it is tried again"
                return .notReady(
                    .sidecarUnreachable,
                    "the operator could not list the pods of \(app.metadata.namespace): \(error); \(remedy)")
            }
            let problems = await ask(up.flatMap { one in (pods[one.service] ?? []).map { (one, $0) } })
            if let first = problems.first {
                // One of each service says enough.
                var told: Set<TodoApp.ServiceName> = []
                let messages = problems.filter { told.insert($0.service).inserted }.map(\.problem.message)
                return .notReady(first.problem.reason, messages.joined(separator: "; "))
            }
            awaited += up.filter { pods[$0.service] == nil }.map(\.service.rawValue)
        }
        guard awaited.isEmpty else {
            return .notReady(
                .waitingForPods, "a ready pod of \(awaited.joined(separator: ", ")) is awaited, to ask its sidecar")
        }
        return .ready(
            .sidecarsReady, "the sidecars of every service have loaded its component and take the events of its topics")
    }

    // MARK: - Pods

    private func readyPods(
        of app: TodoApp, _ context: ReconcileContext
    ) async throws -> [TodoApp.ServiceName: [KubernetesObject]] {
        let options = ListOptions(labelSelector: "\(Label.instance)=\(app.metadata.name),\(Label.name)=todo")
        let pods = try await context.client.list(Self.podType, namespace: app.metadata.namespace, options: options)
        let ready = pods.items.filter { pod in
            !pod.isBeingDeleted && pod.status?["podIP"]?.string != nil
                && pod.status?["conditions"]?.array?.contains { $0["type"] == "Ready" && $0["status"] == "True" }
                    == true
        }.sorted { ($0.created, $0.name) > ($1.created, $1.name) }
        return Dictionary(grouping: ready) {
            TodoApp.ServiceName(rawValue: $0.labels[Label.component] ?? "") ?? .workers
        }
        .mapValues { Array($0.prefix(Self.podsOfEach)) }
    }

    private func ask(
        _ pods: [(SidecarExpectation, KubernetesObject)]
    ) async -> [(service: TodoApp.ServiceName, problem: SidecarReport.Problem)] {
        let found = await withTaskGroup(of: (Int, SidecarReport).self) { group in
            for (index, (expected, pod)) in pods.enumerated() {
                group.addTask {
                    (index, SidecarReport(await self.metadata(of: pod), of: pod, expecting: expected))
                }
            }
            return await group.reduce(into: [Int: SidecarReport.Problem]()) { $0[$1.0] = $1.1.problem }
        }
        return found.sorted { $0.key < $1.key }.map { (pods[$0.key].0.service, $0.value) }
    }

    private func metadata(of pod: KubernetesObject) async -> SidecarReport.Answer {
        let address = pod.status?["podIP"]?.string ?? ""
        let host = address.contains(":") ? "[\(address)]" : address
        let request = ClientRequest(
            url: "http://\(host):\(Self.port)/v1.0/metadata", totalTimeout: Self.timeout)
        do {
            let response = try await transport.send(request)
            guard response.status.code == 200 else { return .none("status \(response.status.code)") }
            return .metadata(try JSON(parsing: try await response.body.collect(upTo: Self.answerLimit)))
        } catch { return .none("\(error)") }
    }
}

extension AppObservation.Area {
    var isReady: Bool {
        if case .ready = self { true } else { false }
    }
}

extension KubernetesObject {
    /// RFC 3339 in UTC, and so in the order of time.
    fileprivate var created: String { metadata["creationTimestamp"]?.string ?? "" }
}
