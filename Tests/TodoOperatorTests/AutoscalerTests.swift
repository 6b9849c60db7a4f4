import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

/// What is made of `autoscaling` and of what people say of the pods, as far as it has to fit something else.
@Suite struct AutoscalerTests {
    static let scaledByLag = SampleTests.names.filter { $0.hasPrefix("scale-lag") || $0 == "scale-both.yaml" }

    /// A scaler that counted another group would see no lag, or one that never shrinks.
    @Test(arguments: scaledByLag)
    func theScalerCountsTheGroupThatTheSidecarReadsWith(sample: String) throws {
        let children = try SampleTests.children(of: sample)
        var checked = 0
        for (name, object) in children where name.hasPrefix("ScaledObject ") {
            let service = name.dropFirst("ScaledObject ".count)
            let component = try #require(children["Component \(service)-pubsub"]?.at("spec", "metadata")?.array)
            func value(_ key: String) -> JSON? { component.first { $0["name"]?.string == key }?["value"] }
            let subscriptions = children.values.filter {
                $0["kind"] == "Subscription" && $0["scopes"]?[0]?.string == String(service)
            }
            let triggers = (object.at("spec", "triggers")?.array ?? []).filter { $0["type"] == "kafka" }
            for trigger in triggers {
                let metadata = try #require(trigger["metadata"])
                #expect(metadata["consumerGroup"] == value("consumerGroup"))
                #expect(metadata["bootstrapServers"] == value("brokers"))
                #expect(metadata["version"] == value("version"))
                #expect(metadata["version"]?.string?.split(separator: ".").count == 3)
                #expect(metadata["offsetResetPolicy"] == (value("initialOffset") == "oldest" ? "earliest" : "latest"))
                checked += 1
            }
            if !triggers.isEmpty {
                #expect(
                    Set(triggers.compactMap { $0.at("metadata", "topic")?.string })
                        == Set(subscriptions.compactMap { $0.at("spec", "topic")?.string }))
            }
        }
        #expect(checked > 0)
    }

    /// In Kafka the right to read a topic or a group includes the right to describe it, which is all that KEDA needs.
    @Test func theUserOfTheServiceMayDescribeWhatTheScalerCounts() throws {
        let children = try SampleTests.children(of: "scale-both.yaml")
        let rules = try #require(children["KafkaUser todo-audit"]?.at("spec", "authorization", "acls")?.array)
        let readable = rules.filter { $0["operations"]?.array?.contains("Read") == true }.compactMap {
            $0.at("resource", "name")?.string
        }
        let triggers = try #require(children["ScaledObject todo-audit"]?.at("spec", "triggers")?.array)
        for trigger in triggers where trigger["type"] == "kafka" {
            for key in ["topic", "consumerGroup"] {
                #expect(readable.contains(try #require(trigger.at("metadata", key)?.string)))
            }
        }
    }

    /// KEDA takes them from the container by their names; one that is misspelt is empty and refuses the login.
    @Test(arguments: scaledByLag)
    func everyVariableThatALoginNamesIsInTheContainer(sample: String) throws {
        let children = try SampleTests.children(of: sample)
        for (name, object) in children where name.hasPrefix("TriggerAuthentication ") {
            let deployment = children["Deployment \(name.dropFirst("TriggerAuthentication ".count))"]
            let container = try #require(deployment?.at("spec", "template", "spec", "containers")?[0])
            let variables = Set((container["env"]?.array ?? []).compactMap { $0["name"]?.string })
            for variable in object.at("spec", "env")?.array ?? [] {
                #expect(variables.contains(variable["name"]?.string ?? ""))
                #expect(variable["containerName"] == container["name"])
            }
        }
    }

    /// Else a variable of a person's would stand beside the operator's, and nobody could tell which counts.
    @Test func theReservedVariablesAreThoseThatTheOperatorSets() throws {
        var rendered: Set<String> = []
        for sample in SampleTests.names where sample != "pods-env.yaml" && sample != "everything.yaml" {
            for (name, object) in try SampleTests.children(of: sample) where name.hasPrefix("Deployment ") {
                let env = object.at("spec", "template", "spec", "containers")?[0]?["env"]?.array ?? []
                rendered.formUnion(env.compactMap { $0["name"]?.string })
            }
        }
        // With a Secret that has it; no sample can say so.
        rendered.insert("DATABASE_DIRECT_URI")
        let daprs: Set = ["APP_PROTOCOL", "DAPR_GRPC_PORT", "DAPR_HTTP_PORT"]
        #expect(Set(TodoApp.reservedVariables) == rendered.union(daprs))
    }

    @Test func onlyAServiceThatIsScaledLeavesItsNumberOfPodsToOthers() throws {
        let children = try SampleTests.children(of: "scale-cpu.yaml")
        #expect(children["Deployment todo-api"]?.at("spec", "replicas") == nil)
        #expect(children["Deployment todo-audit"]?.at("spec", "replicas") == 2)
    }

    // MARK: - What is said of an autoscaler

    private static func autoscaler(_ kind: String, _ conditions: [JSON]) -> JSON {
        ["kind": .string(kind), "status": ["conditions": .array(conditions)]]
    }

    private static func condition(_ type: String, _ status: String, _ reason: String = "", _ message: String = "")
        -> JSON
    {
        [
            "type": .string(type), "status": .string(status), "reason": .string(reason), "message": .string(message),
        ]
    }

    @Test func aScaledObjectSpeaksByItsConditions() {
        func status(_ conditions: JSON...) -> AutoscalerStatus {
            AutoscalerStatus(Self.autoscaler("ScaledObject", conditions))
        }
        #expect(AutoscalerStatus(["kind": "ScaledObject"]) == .pending("KEDA has not taken it up yet"))
        #expect(status(Self.condition("Ready", "Unknown")) == .pending("KEDA has not taken it up yet"))
        #expect(
            status(Self.condition("Ready", "True", "ScaledObjectReady"), Self.condition("Active", "False")) == .ready)
        #expect(
            status(Self.condition("Ready", "False", "TriggerError", "no broker")) == .failed("TriggerError: no broker"))
        #expect(
            status(Self.condition("Ready", "Unknown", "PartialTriggerError", "some"))
                == .failed("PartialTriggerError: some"))
        #expect(
            status(
                Self.condition("Ready", "True", "ScaledObjectReady"),
                Self.condition("HPAActive", "False", "HPAMetricsUnavailable", "none"))
                == .failed("HPAMetricsUnavailable: none"))
        guard
            case .failed(let words) = status(
                Self.condition("Ready", "True", "ScaledObjectReady"),
                Self.condition(
                    "HPAActive", "False", "HPAMetricsUnavailable", "FailedGetContainerResourceMetric: no metrics"))
        else {
            Issue.record("it is said to work")
            return
        }
        #expect(words.contains("metrics-server"))
    }

    @Test func aHorizontalPodAutoscalerSpeaksByItsConditions() {
        func status(_ conditions: JSON...) -> AutoscalerStatus {
            AutoscalerStatus(Self.autoscaler("HorizontalPodAutoscaler", conditions))
        }
        let able = Self.condition("AbleToScale", "True", "ReadyForNewScale")
        #expect(AutoscalerStatus(nil) == .pending("the cluster has not taken it up yet"))
        #expect(status(able) == .pending("the cluster has not taken it up yet"))
        #expect(status(able, Self.condition("ScalingActive", "True", "ValidMetricFound")) == .ready)
        #expect(
            status(able, Self.condition("ScalingActive", "True", "X"), Self.condition("ScalingLimited", "False", "Y"))
                == .ready)
        #expect(
            status(Self.condition("AbleToScale", "False", "FailedGetScale", "gone")) == .failed("FailedGetScale: gone"))
        guard
            case .failed(let words) = status(
                able, Self.condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics"))
        else {
            Issue.record("it is said to work")
            return
        }
        #expect(words.hasPrefix("FailedGetResourceMetric: no metrics"))
        #expect(words.contains("metrics-server"))
    }

    // MARK: - How far a service that is scaled is

    private static func rollout(replicas: Int, updated: Int, ready: Int, total: Int) throws -> ServiceRollout {
        var object = DesiredStateTests.minimal
        object.set(
            ["maxReplicas": 20, "targetCPUUtilizationPercentage": 70], at: "spec", "services", "api", "autoscaling")
        var deployment = AppStatusRulesTests.deployment(updated: updated, ready: ready, total: total)
        deployment["spec"] = ["replicas": JSON(replicas)]
        return ServiceRollout(.api, of: try TodoApp(validating: object), deployment: deployment, isWaiting: false)
    }

    @Test func whatTheAutoscalerAsksForIsDesiredAndMoreOnTheirWayAreNoRollout() throws {
        let growing = try Self.rollout(replicas: 8, updated: 8, ready: 3, total: 8)
        #expect(growing.status.desired == 8)
        #expect(growing.isComplete)
        #expect(growing.message == "api: 3 of 8 pods are ready")
        #expect(try !Self.rollout(replicas: 8, updated: 8, ready: 1, total: 8).isComplete, "fewer than the least")
        #expect(try !Self.rollout(replicas: 8, updated: 4, ready: 8, total: 9).isComplete, "old pods are left")
        #expect(
            try !Self.rollout(replicas: 1, updated: 1, ready: 1, total: 1).isComplete, "not yet raised to the least")
    }
}
