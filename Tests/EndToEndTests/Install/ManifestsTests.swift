import Foundation
import StructuredData
import Testing

/// What people apply by kubectl, kustomize, Argo CD and Flux, and the scripts that make a whole cluster.
@Suite(.loadsProcessors, .inTime) struct ManifestsTests {
    static let manifests = Command.repository.appending(path: "manifests")
    /// The kinds of Argo CD, Flux and kustomize, of which we have no schemas.
    static let foreign: Set = ["Application", "Component", "GitRepository", "HelmRelease", "Kustomization"]

    private static func files(named suffix: String) -> [String] {
        (FileManager.default.enumerator(atPath: manifests.path)?.compactMap { $0 as? String } ?? [])
            .filter { $0.hasSuffix(suffix) }.sorted()
    }

    @Test func everyFileHoldsValidObjects() async throws {
        let files = Self.files(named: ".yaml")
        #expect(files.count > 10)
        for file in files {
            let objects = try YAML.parse(Command.text(of: Self.manifests.appending(path: file).path))
            for object in objects { #expect(object["apiVersion"] != nil && object["kind"] != nil, "\(file)") }
            let known = objects.filter { !Self.foreign.contains($0["kind"]?.string ?? "") }
            guard !known.isEmpty else { continue }
            #expect(try await Schemas.faults(in: known) == "", "\(file)")
        }
    }

    @Test(.needsKubectl) func everyKustomizationBuilds() async throws {
        let kustomizations = Self.files(named: "/kustomization.yaml").filter { !$0.hasPrefix("components/") }
        #expect(kustomizations.count > 5)
        for file in kustomizations {
            let objects = try await Self.build(String(file.dropLast("/kustomization.yaml".count)))
            let known = objects.filter { !Self.foreign.contains($0["kind"]?.string ?? "") }
            #expect(try await Schemas.faults(in: known) == "", "\(file)")
        }
    }

    @Test(.needsKubectl) func theBaseIsWhatInstallYAMLHolds() async throws {
        let whole = try YAML.parse(Command.text(of: Self.manifests.appending(path: "install.yaml").path))
        let base = try await Self.build("base")
        func names(_ objects: [JSON]) -> Set<String> {
            Set(objects.map { "\($0["kind"]?.string ?? "") \($0.at("metadata", "name")?.string ?? "")" })
        }
        #expect(names(base) == names(whole) && base.count == whole.count)
    }

    @Test(.needsKubectl) func theOverlaysAreWhatTheySay() async throws {
        let production = try await Self.build("overlays/production")
        let spec = production.first { $0["kind"] == "Deployment" }?.at("spec", "template", "spec")
        #expect(spec?["priorityClassName"] == "system-cluster-critical")
        let keys = spec?["topologySpreadConstraints"]?.array?.compactMap { $0["topologyKey"]?.string }
        #expect(keys?.contains("topology.kubernetes.io/zone") == true)
        #expect(production.contains { $0["kind"] == "PrometheusRule" })
        let small = try await Self.build("overlays/small")
        #expect(small.first { $0["kind"] == "Deployment" }?.at("spec", "replicas") == 1)
        #expect(!small.contains { $0["kind"] == "PodDisruptionBudget" })
    }

    /// Argo CD takes a script for each kind.
    @Test(.needsKubectl) func argoCDKnowsTheHealthOfEveryKind() async throws {
        let definitions = try YAML.parse(
            Command.text(of: Command.repository.appending(path: "crds/todo-operator.dev.yaml").path))
        let config = try await Self.build("gitops/argocd/health").first?["data"]
        for definition in definitions {
            let kind = definition.at("spec", "names", "kind")?.string ?? ""
            let script = config?["resource.customizations.health.todo-operator.dev_\(kind)"]?.string
            #expect(script?.contains("Degraded") == true, "gitops/argocd/health/kustomization.yaml has no \(kind)")
        }
    }

    @Test func gitOpsInstallsTheReleaseOfTheProgram() async throws {
        let version = try await Command.run(Command.todo, ["--version"]).out.trimmingCharacters(in: .newlines)
        let text = Self.files(named: ".yaml").filter { $0.hasPrefix("gitops/") }
            .map { Command.text(of: Self.manifests.appending(path: $0).path) }.joined()
        let named = text.matches(of: /(?m)(?:targetRevision|tag): (\S+)$/).map { String($0.output.1) }
        #expect(named.count >= 3 && Set(named) == ["v\(version)"])
    }

    @Test(arguments: ["minikube", "cloud/aks", "cloud/gke", "cloud/doks"])
    func aScriptSaysWhatItWouldDo(folder: String) async throws {
        let script = Self.manifests.appending(path: "\(folder)/install.sh").path
        // Nothing that it names has to be there.
        let dry = try await Command.run(script, ["--dry-run"], environment: ["PATH": "/usr/bin:/bin"])
        #expect(dry.status == 0, "\(dry)")
        let steps = dry.out.split(separator: "\n")
        for step in ["strimzi-kafka-operator", "dapr-system", "charts/todo-operator"] {
            #expect(steps.contains { $0.hasPrefix("+ helm upgrade --install") && $0.contains(step) }, "\(step): \(dry)")
        }
        #expect(steps.last?.contains("kubectl wait") == true)
        let only = try await Command.run(script, ["--dry-run", "--no-sample", "--set", "replicas=3"])
        #expect(only.out.contains("--set replicas=3") && !only.out.contains("kubectl apply"), "\(only)")
        let wrong = try await Command.run(script, ["--dryrun"])
        #expect(wrong.status == 1 && wrong.err == "install.sh: there is no option --dryrun; see --help\n", "\(wrong)")
    }

    private static func build(_ folder: String) async throws -> [JSON] {
        let path = manifests.appending(path: folder).path
        let result = try await Command.run(Kubectl.installed.last ?? "kubectl", ["kustomize", path])
        #expect(result.status == 0, "\(result)")
        return try YAML.parse(result.out)
    }
}
