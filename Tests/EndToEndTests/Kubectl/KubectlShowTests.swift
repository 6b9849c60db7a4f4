import Testing

/// Tables, describe, explain, discovery and events.
@Suite(.needsKubectl, .loadsProcessors) struct KubectlShowTests {
    @Test(arguments: Kubectl.installed)
    func tablesHaveTheColumnsOfARealServer(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("tables", path: path)
        try await kubectl.expect("create", "-f", "-", input: Samples.deployment)
        try await kubectl.expect("create", "configmap", "c", "--from-literal=a=1")
        try await kubectl.expect("create", "service", "clusterip", "svc", "--tcp=80:8080")
        for (arguments, columns) in [
            ("get deploy", "NAME READY UP-TO-DATE AVAILABLE AGE"),
            ("get deploy -o wide", "NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR"),
            ("get cm c", "NAME DATA AGE"), ("get svc svc", "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE"),
            ("get cm -A --sort-by=.metadata.name", "NAMESPACE NAME DATA AGE"),
            ("get ns default --show-labels", "NAME STATUS AGE LABELS"),
            ("get cm c -o custom-columns=WHO:.metadata.name,WHAT:.data.a", "WHO WHAT"),
        ] {
            let result = try await kubectl.run(arguments.split(separator: " ").map(String.init))
            let header = result.out.split(separator: "\n").first?.split(separator: " ").joined(separator: " ")
            #expect(header == columns, "\(result)")
        }
        try await kubectl.expect("get", "deploy", "web", "--no-headers", prints: ["web", "0/0"])
        try await kubectl.expect(
            "get", "deploy", "web", "-o", "yaml", prints: ["kind: Deployment", "progressDeadlineSeconds: 600"])
        try await kubectl.expect("get", "all", prints: ["service/svc", "deployment.apps/web", "replicaset.apps/web-"])
        try await kubectl.expect("get", "cm,svc", "-o", "name", prints: ["configmap/c", "service/svc"])
        try await kubectl.expect(
            "get", "deploy", "--field-selector=metadata.name=other",
            prints: ["No resources found in \(kubectl.namespace)"])
        try await kubectl.expect("get", "ns", kubectl.namespace, prints: ["Active"])
    }

    @Test(arguments: Kubectl.installed)
    func describeTellsTheStoryOfAnObject(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("describe", path: path)
        try await kubectl.expect("create", "-f", "-", input: Samples.deployment)
        try await kubectl.expect("scale", "deploy/web", "--replicas=1", prints: ["deployment.apps/web scaled"])
        // kubectl waits for none that is not there yet.
        _ = try await eventually("the pod") {
            try await kubectl.run(["get", "pod", "-l", "app=web", "-o", "name"]).out.contains("pod/web-") ? true : nil
        }
        // A foreign image cannot run here, and the pod says so.
        try await kubectl.expect(
            "wait", "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImagePull", "pod", "-l",
            "app=web", "--timeout=120s", prints: ["condition met"])
        _ = try await eventually("the event of the pull that failed") {
            let events = try await kubectl.run(["events", "--types=Warning"])
            return events.out.contains("ErrImagePull") ? true : nil
        }
        try await kubectl.expect(
            "describe", "deploy", "web",
            prints: [
                "Replicas:               1 desired | 1 updated | 1 total | 0 available | 1 unavailable",
                "StrategyType:",
                "RollingUpdate", "registry.example/web:1", "MinimumReplicasUnavailable", "ScalingReplicaSet",
            ])
        try await kubectl.expect(
            "describe", "pod", "-l", "app=web",
            prints: [
                "Controlled By:  ReplicaSet/web-", "Reason:       ErrImagePull", "default-scheduler",
                "no container runtime",
            ])
        try await kubectl.expect("get", "events", prints: ["LAST SEEN", "ScalingReplicaSet", "SuccessfulCreate"])
        try await kubectl.expect("events", "--for=deploy/web", prints: ["Scaled up replica set"])
        try await kubectl.expect("create", "secret", "generic", "s", "--from-literal=k=hidden")
        #expect(
            try await kubectl.expect("describe", "secret", "s", prints: ["k:  6 bytes"]).contains("hidden") == false)
        try await kubectl.expect("create", "quota", "q", "--hard=pods=3")
        try await kubectl.expect("describe", "ns", kubectl.namespace, prints: ["Active", "Resource Quotas"])
        try await kubectl.expect("describe", "node", prints: ["Ready", "Non-terminated Pods"])
        try await kubectl.expect("create", "service", "clusterip", "web", "--tcp=80:8080")
        try await kubectl.expect("describe", "svc", "web", prints: ["Selector:", "app=web", "TargetPort:", "8080/TCP"])
    }

    @Test(arguments: Kubectl.installed)
    func theServerSaysWhatItHas(path: String) async throws {
        let kubectl = try await Kubectl.inNamespace("explain", path: path)
        try await kubectl.expect(
            "explain", "deployment.spec.replicas", prints: ["VERSION:    v1", "FIELD: replicas <integer>"])
        try await kubectl.expect("explain", "pod.spec.containers", prints: ["FIELD: containers <[]Container>"])
        try await kubectl.expect("explain", "cronjob.spec.schedule", prints: ["Cron format"])
        try await kubectl.expect("explain", "cm", "--recursive", prints: ["binaryData", "ownerReferences"])
        try await kubectl.expect("explain", "deployment.spec.nothing", prints: ["does not exist"], exits: 1)
        try await kubectl.expect(
            "api-resources", "-o", "wide",
            prints: ["deployments", "deploy", "apps/v1", "configmaps", "cm", "create,delete"])
        let clusterWide = try await kubectl.expect("api-resources", "--namespaced=false", "-o", "name")
        #expect(clusterWide.contains("nodes\n") && !clusterWide.contains("configmaps\n"))
        try await kubectl.expect("api-versions", prints: ["apps/v1", "batch/v1", "events.k8s.io/v1"])
        try await kubectl.expect("version", prints: ["Server Version"])
        try await kubectl.expect("cluster-info", prints: ["is running at"])
        try await kubectl.expect("get", "--raw", "/readyz", prints: ["ok"])
    }
}
