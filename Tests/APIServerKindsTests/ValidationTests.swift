@testable import APIServerKinds
import KubernetesSchema
import StructuredData
import Testing

/// What kube-apiserver refuses, in its words.
@Suite struct ValidationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: String
        let body: String
        let fault: String
        var testDescription: String { fault }
    }

    private static let pod = #"{"metadata":{"name":"a"},"spec":{"containers":[CONTAINER]}}"#
    private static func pod(_ container: String, _ fault: String) -> Case {
        Case(kind: "/pods", body: pod.replacing("CONTAINER", with: container), fault: fault)
    }

    private static let deployment = """
        {"metadata":{"name":"a"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
         "spec":{"containers":[{"name":"c","image":"i"}]}}}}
        """

    static let cases: [Case] = [
        pod(#"{"image":"i"}"#, "spec.containers[0].name: Required value"),
        pod(#"{"name":"c"}"#, "spec.containers[0].image: Required value"),
        pod(#"{"name":"c","image":"i"},{"name":"c","image":"i"}"#, #"spec.containers[1].name: Duplicate value: "c""#),
        pod(
            #"{"name":"c","image":"i","ports":[{"containerPort":70000}]}"#,
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"),
        pod(
            #"{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/x"}]}"#,
            #"spec.containers[0].volumeMounts[0].name: Not found: "v""#),
        pod(
            #"{"name":"c","image":"i","imagePullPolicy":"Sometimes"}"#,
            #"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#
        ),
        pod(
            #"{"name":"c","image":"i","livenessProbe":{}}"#,
            "spec.containers[0].livenessProbe: Required value: must specify a handler type"),
        pod(
            #"{"name":"c","image":"i","resources":{"requests":{"cpu":"2"},"limits":{"cpu":"1"}}}"#,
            #"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#),
        Case(kind: "/pods", body: #"{"metadata":{"name":"a"},"spec":{}}"#, fault: "spec.containers: Required value"),
        Case(
            kind: "apps/deployments",
            body: deployment.replacing(#"{"labels":{"a":"b"}}"#, with: #"{"labels":{"a":"c"}}"#),
            fault:
                #"spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`"#
        ),
        Case(
            kind: "apps/deployments", body: deployment.replacing(#""selector":{"matchLabels":{"a":"b"}},"#, with: ""),
            fault: "spec.selector: Required value"),
        Case(
            kind: "apps/deployments", body: deployment.replacing(#""selector""#, with: #""replicas":-1,"selector""#),
            fault: "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        Case(
            kind: "/services", body: #"{"metadata":{"name":"a"},"spec":{}}"#, fault: "spec.ports: Required value"),
        Case(
            kind: "/services", body: #"{"metadata":{"name":"a"},"spec":{"ports":[{"port":1},{"port":2}]}}"#,
            fault: "spec.ports[0].name: Required value"),
        Case(
            kind: "/secrets", body: #"{"metadata":{"name":"a"},"type":"kubernetes.io/tls"}"#,
            fault: "data[tls.crt]: Required value"),
        Case(
            kind: "/configmaps", body: #"{"metadata":{"name":"a"},"data":{"a/b":""}}"#,
            fault: #"data[a/b]: Invalid value: "a/b": a valid config key must consist of"#),
        Case(
            kind: "batch/cronjobs",
            body:
                #"{"metadata":{"name":"a"},"spec":{"schedule":"61 * * * *","jobTemplate":{"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}}}"#,
            fault: #"spec.schedule: Invalid value: "61 * * * *": end of range (61) above maximum (59): 61"#),
        Case(
            kind: "batch/jobs",
            body: #"{"metadata":{"name":"a"},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#,
            fault:
                #"spec.template.spec.restartPolicy: Unsupported value: "Always": supported values: "Never", "OnFailure""#
        ),
        Case(
            kind: "rbac.authorization.k8s.io/roles",
            body: #"{"metadata":{"name":"a"},"rules":[{"apiGroups":[""],"resources":["pods"]}]}"#,
            fault: "rules[0].verbs: Required value: verbs must contain at least one value"),
        Case(
            kind: "policy/poddisruptionbudgets",
            body: #"{"metadata":{"name":"a"},"spec":{"minAvailable":1,"maxUnavailable":1}}"#,
            fault:
                "spec: Invalid value: {\"minAvailable\":1,\"maxUnavailable\":1}: minAvailable and maxUnavailable cannot be both set"
        ),
        Case(
            kind: "networking.k8s.io/ingresses", body: #"{"metadata":{"name":"a"},"spec":{}}"#,
            fault: "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"),
        Case(
            kind: "coordination.k8s.io/leases", body: #"{"metadata":{"name":"a"},"spec":{"leaseDurationSeconds":0}}"#,
            fault: "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"),
    ]

    @Test(arguments: cases)
    func `a bad object is refused in the words of kube-apiserver`(example: Case) throws {
        let parts = example.kind.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let resource = try Fixture.resource(parts[0], parts[1])
        var object = try resource.decode(JSON(parsing: example.body)).object
        let errors = resource.prepareForCreate(&object, namespace: "conf", context: Fixture.context()).map(\.line)
        #expect(errors.contains { $0.hasPrefix(example.fault) }, "\(errors)")
    }

    @Test func `a good deployment is not refused`() throws {
        let resource = try Fixture.resource("apps", "deployments")
        var object = try resource.decode(JSON(parsing: Self.deployment)).object
        #expect(resource.prepareForCreate(&object, namespace: "conf", context: Fixture.context()).isEmpty)
    }

    @Test(arguments: [
        (
            "apps", "deployments", deployment, "spec.selector.matchLabels", JSON(["a": "b", "x": "y"]),
            "spec.selector: Invalid value"
        ),
        (
            "", "secrets", #"{"metadata":{"name":"a"}}"#, "type", JSON("other"),
            "type: Invalid value: \"other\": field is immutable"
        ),
        (
            "", "configmaps", #"{"metadata":{"name":"a"},"immutable":true,"data":{"k":"v"}}"#, "data", JSON(["k": "w"]),
            "data: Forbidden: field is immutable when `immutable` is set"
        ),
        (
            "", "services", #"{"metadata":{"name":"a"},"spec":{"ports":[{"port":1}]}}"#, "spec.clusterIP",
            JSON("10.96.9.9"), "spec.clusterIPs[0]: Invalid value: [\"10.96.9.9\"]: may not change once set"
        ),
        (
            "rbac.authorization.k8s.io", "rolebindings",
            #"{"metadata":{"name":"a"},"roleRef":{"kind":"Role","name":"r"}}"#,
            "roleRef.name", JSON("s"), "roleRef: Invalid value"
        ),
    ])
    func `what may not change is refused`(
        group: String, plural: String, body: String, path: String, value: JSON, fault: String
    ) throws {
        let resource = try Fixture.resource(group, plural)
        let context = Fixture.context()
        var old = try resource.decode(JSON(parsing: body)).object
        #expect(resource.prepareForCreate(&old, namespace: "conf", context: context).isEmpty)
        var new = old
        new.setValue(value, at: path.split(separator: ".").map(String.init)[...])
        let errors = resource.prepareForUpdate(&new, old: old, context: context).map(\.line)
        #expect(errors.contains { $0.hasPrefix(fault) }, "\(errors)")
        var same = old
        #expect(resource.prepareForUpdate(&same, old: old, context: context).isEmpty)
        #expect(same == old)
    }

    @Test(arguments: ["*/5 * * * *", "0 0 1 jan sun", "@daily", "1-5,7 */2 * * 1-5", "0 0 ? * *"])
    func `a good schedule is accepted`(schedule: String) {
        #expect(CronSchedule.fault(in: schedule) == nil)
    }
}

@Suite struct Base64Tests {
    @Test func `bytes come back from their text`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            let text = Base64.encode(bytes)
            #expect(Base64.decode(text) == bytes)
            #expect(Base64.decodedCount(text) == count)
        }
    }

    @Test(arguments: ["a", "ab", "abc", "a===", "ab=c", "a$c=", "abcde"])
    func `what is not Base64 is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
