import Foundation
import HTTPTransport
import HTTPTypes
import KubernetesClient
import PostgresServer
import StructuredData
import Testing

/// The operator as `manifests/install.yaml` installs it: with the rights and the name that it has there.
@Suite(.needsKubectl, .loadsProcessors, .inTime) struct InstalledOperatorTests {
    @Test func itBringsAnAppUpAndHasTheMetricsThatTheAlertsLookAt() async throws {
        let cluster = try await TestCluster.start()
        let kubectl = try Kubectl(
            path: try #require(Kubectl.installed.last), kubeconfig: cluster.kubeconfig, namespace: "todo-system")
        // Its own pods cannot run here: tokens of ServiceAccounts are not mounted.
        let manifest = Command.text(of: ManifestsTests.manifests.appending(path: "install.yaml").path)
            .replacing("  replicas: 2\n", with: "  replicas: 0\n")
        try await kubectl.expect("apply", "--server-side", "-f", "-", input: manifest)
        try await kubectl.expect("create", "namespace", "team")
        let token = try await kubectl.expect("create", "token", "todo-operator").trimmingCharacters(in: .newlines)

        let port = try ListeningSocket().port
        let process = try await BackgroundProcess.start(
            Command.todo,
            [
                "operator", "--kubeconfig", try Self.kubeconfig(like: cluster.kubeconfig, token: token),
                "--leader-elect", "--leader-elect-namespace", "todo-system", "--metrics-address", "127.0.0.1",
                "--metrics-port", "\(port)",
            ])
        _ = try await process.line(matching: /(leading)/)
        try await cluster.create(todoApp: "app", namespace: "team", on: .shared())
        _ = try await eventually(within: .seconds(90), "the app is ready; the operator said: \(process.output)") {
            try await cluster.client.get(.todoApps, namespace: "team", name: "app", subresource: nil).isReady
                ? true : nil
        }
        #expect(try await Self.get("readyz", port) == "ok")
        let exposed = try await Self.get("metrics", port)
        for name in try Self.metricsOfAlerts() {
            #expect(exposed.contains("# TYPE \(name) "), "an alert looks at \(name), which there is not")
        }
        // It was not refused anything but what it can do without: to watch Secrets.
        let refusals = process.output.split(separator: "\n").filter { $0.contains("cannot") && !$0.contains("secrets") }
        #expect(refusals == [])
        try await process.stop(SIGTERM)
        try await cluster.stop()
    }

    private static func get(_ path: String, _ port: Int) async throws -> String {
        let transport = CurlTransport(configuration: .init(proxy: .none))
        let response = try await transport.send(
            ClientRequest(method: .get, url: "http://127.0.0.1:\(port)/\(path)"))
        return String(decoding: try await response.body.collect(upTo: 4 << 20), as: UTF8.self)
    }

    /// Series in the expressions of the alerts: histograms by their base name.
    private static func metricsOfAlerts() throws -> Set<String> {
        let file = ManifestsTests.manifests.appending(path: "components/monitoring/monitoring.yaml").path
        let rules = try YAML.parse(Command.text(of: file)).first { $0["kind"] == "PrometheusRule" }
        let expressions = rules?.at("spec", "groups")?[0]?["rules"]?.array?.compactMap { $0["expr"]?.string } ?? []
        let names = expressions.flatMap { expression in
            expression.replacing(/\{[^}]*\}/, with: "").matches(of: /[a-z]+(_[a-z0-9]+)+/).map { String($0.output.0) }
        }
        #expect(names.count >= expressions.count)
        return Set(names).subtracting(["histogram_quantile"]).reduce(into: []) { all, name in
            all.insert(name.hasSuffix("_bucket") ? String(name.dropLast("_bucket".count)) : name)
        }
    }

    /// A kubeconfig for the same cluster, with a token instead.
    private static func kubeconfig(like other: String, token: String) throws -> String {
        var config = try YAML.parse(Command.text(of: other))[0]
        let name = config["users"]?[0]?["name"] ?? ""
        config["users"] = [["name": name, "user": ["token": .string(token)]]]
        let file = TestRun.folder.appending(path: "operator-kubeconfig").path
        try YAML.write(config).write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}
