import Foundation
import KubernetesClient
import StructuredData

/// Prints the table.
struct Measurement {
    let installation: Installation
    let apps: Int

    private var client: KubernetesClient { installation.client }
    private var process: MeasuredProcess { installation.operatorProcess }

    func run() async throws {
        try await until("the operator answers") { (try? await installation.metrics()) != nil }
        try await Task.sleep(for: .seconds(3))  // caches and first scrapes are done
        row("memory with no TodoApp", memory(goal: 15))

        let before = process.processorTime
        let first = try await create(0..<300)
        row("300 TodoApps at once, all Ready", "\(seconds(first)) s")
        let rest = try await create(300..<apps)
        row("\(apps - 300) more, all Ready", "\(seconds(rest)) s")
        try await settle()
        let each = (process.processorTime - before) * 1000 / Double(apps)
        row("CPU of the first reconcile", String(format: "%.2f ms each (goal <= 3)", each))
        row("memory with \(apps), just converged", memory(goal: 60))

        let children = try await children()
        row("children of each", String(format: "%.1f", Double(children) / Double(apps)))
        let idle = process.processorTime
        let version = try await version()
        try await Task.sleep(for: .seconds(30))
        row("idle", String(format: "%.2f %% of a core (goal <= 1)", (process.processorTime - idle) / 30 * 100))
        row("memory after that", memory(goal: 60))
        row("writes to the API server in 30 s of it", "\(try await self.version() - version) (goal 0)")

        let edits = try await editToChild(count: 200)
        row(
            "edit to child",
            String(format: "p50 %.1f ms, p99 %.1f ms", edits[edits.count / 2], edits[edits.count * 99 / 100]))
        let text = try await installation.metrics()
        for name in ["workqueue_queue_duration_seconds", "controller_runtime_reconcile_time_seconds"] {
            let histogram = Histogram(name, in: text)
            row(name, "p50 <= \(histogram.bound(0.5)) s, p99 <= \(histogram.bound(0.99)) s, \(histogram.count) in all")
        }
    }

    /// Of the whole cluster: each write takes the next number.
    private func version() async throws -> Int {
        var options = ListOptions()
        options.limit = 1
        let list = try await client.list(Installation.apps, namespace: Installation.namespace, options: options)
        guard let version = Int(list.resourceVersion) else { throw Failure("a list has no version") }
        return version
    }

    /// The cluster has its own work with so many objects: it is over when nothing is written for some seconds.
    private func settle() async throws {
        var last = -1
        try await until("nothing is written any more", within: .seconds(300)) {
            let now = try await version()
            defer { last = now }
            try await Task.sleep(for: .seconds(3))
            return now == last
        }
    }

    private func children() async throws -> Int {
        var count = 0
        for type in Installation.childTypes {
            var options = ListOptions()
            options.labelSelector = "app.kubernetes.io/managed-by=todo-operator"
            let list = try await client.listAll(type, namespace: Installation.namespace, options: options)
            count += list.items.count
        }
        return count
    }

    /// Creates the apps as fast as 16 clients can, and gives the time until all are Ready.
    private func create(_ numbers: Range<Int>) async throws -> Duration {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<16 {
                group.addTask {
                    for number in stride(from: numbers.lowerBound + lane, to: numbers.upperBound, by: 16) {
                        _ = try await client.create(
                            Self.app(number), Installation.apps, namespace: Installation.namespace)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await until("all TodoApps are Ready") {
            let items = try await client.listAll(
                Installation.apps, namespace: Installation.namespace, options: ListOptions()
            ).items
            return items.count == numbers.upperBound && items.allSatisfy { Self.isReady($0) }
        }
        return ContinuousClock.now - start
    }

    /// Milliseconds from just before an edit is sent to the sight of its effect on a child, ascending.
    private func editToChild(count: Int) async throws -> [Double] {
        var delays: [Double] = []
        for number in 0..<count {
            let name = "app-\(number % 300)"
            let start = ContinuousClock.now
            _ = try await client.patch(
                Installation.apps, namespace: Installation.namespace, name: name,
                .merge(["spec": ["networkPolicy": number < 300 ? "Disabled" : "Enabled"]]), subresource: nil,
                options: WriteOptions())
            while try await client.getIfPresent(
                Installation.policies, namespace: Installation.namespace, name: "\(name)-api") != nil
            {
                guard ContinuousClock.now - start < .seconds(10) else { throw Failure("\(name) keeps its policy") }
            }
            delays.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        return delays.sorted()
    }

    /// All that a TodoApp has: a pod would be no part of the operator's work.
    private static let services = ["api", "audit", "notification", "realtime"]

    private static func app(_ number: Int) -> KubernetesObject {
        KubernetesObject([
            "apiVersion": "todo-operator.dev/v1alpha1", "kind": "TodoApp",
            "metadata": ["name": .string("app-\(number)")],
            "spec": [
                "database": ["secretRef": ["name": "database"], "tlsMode": "Disable"],
                "kafka": [
                    "external": ["bootstrapServers": ["kafka.example.com:9092"], "tls": ["mode": "Disabled"]]
                ],
                "services": .object(JSONObject(services.map { ($0, ["replicas": 0]) })),
            ],
        ])
    }

    private static func isReady(_ app: KubernetesObject) -> Bool {
        app.status?["observedGeneration"]?.int == app.generation
            && app.status?["conditions"]?.array?.contains { $0["type"] == "Ready" && $0["status"] == "True" } == true
    }

    private func memory(goal: Int) -> String {
        let memory = process.memory
        return String(
            format: "%.1f MB (goal <= %d), %.1f of it the program's files; %.1f at most until now", memory.all, goal,
            memory.files, memory.most)
    }

    private func seconds(_ duration: Duration) -> String { String(format: "%.2f", duration / .seconds(1)) }

    private func row(_ what: String, _ figure: String) {
        print(what.padding(toLength: 44, withPad: " ", startingAt: 0) + figure)
        fflush(nil)
    }
}

/// The buckets of one histogram of a Prometheus text, over all its labels.
struct Histogram {
    private var buckets: [Double: Double] = [:]

    init(_ name: String, in text: String) {
        for line in text.split(separator: "\n") where line.hasPrefix("\(name)_bucket") {
            guard let bound = line.firstMatch(of: /le="([^"]+)"/)?.output.1,
                let count = line.split(separator: " ").last.flatMap({ Double($0) })
            else { continue }
            buckets[bound == "+Inf" ? .infinity : Double(bound) ?? .nan, default: 0] += count
        }
    }

    var count: Int { Int(buckets[.infinity] ?? 0) }

    /// The smallest bound that at least this share of the values is under.
    func bound(_ share: Double) -> Double {
        let needed = (buckets[.infinity] ?? 0) * share
        return buckets.sorted { $0.key < $1.key }.first { $0.value >= needed }?.key ?? .nan
    }
}
