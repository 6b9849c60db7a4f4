@testable import APIServerKinds
import Concurrency
import KubernetesClient
import KubernetesSchema
import StructuredData
import Testing

/// What kube-apiserver adds to objects of built-in kinds.
@Suite struct DefaultsTests {
    private func created(_ group: String, _ plural: String, _ text: String, namespaced: Bool = true) throws -> JSON {
        let resource = try Fixture.resource(group, plural, version: group == "autoscaling" ? "v2" : "v1")
        var object = try resource.decode(JSON(parsing: text)).object
        let namespace = namespaced ? "conf" : nil
        try resource.bind(&object, namespace: namespace, name: nil)
        let errors = resource.prepareForCreate(&object, namespace: namespace, context: Fixture.context())
        #expect(errors.isEmpty, "\(errors)")
        return object
    }

    @Test func `a deployment gets its rollout, its replicas and the defaults of its pods`() throws {
        let object = try created(
            "apps", "deployments",
            """
            {"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{
             "metadata":{"labels":{"a":"b"},"creationTimestamp":null},"spec":{"containers":[
             {"name":"c","image":"nginx","ports":[{"containerPort":80}],"env":[],
              "livenessProbe":{"httpGet":{"port":80}},
              "env":[{"name":"N","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}]}],
             "volumes":[{"name":"s","secret":{"secretName":"x"}},{"name":"e"}]}}}}
            """)
        let expected = try JSON(
            parsing: """
                {"progressDeadlineSeconds":600,"replicas":1,"revisionHistoryLimit":10,
                 "selector":{"matchLabels":{"a":"b"}},
                 "strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"},"type":"RollingUpdate"},
                 "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[
                  {"env":[{"name":"N","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}}],
                   "image":"nginx","imagePullPolicy":"Always","name":"c",
                   "livenessProbe":{"failureThreshold":3,"httpGet":{"path":"/","port":80,"scheme":"HTTP"},
                    "periodSeconds":10,"successThreshold":1,"timeoutSeconds":1},
                   "ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{},
                   "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File"}],
                  "dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler",
                  "securityContext":{},"terminationGracePeriodSeconds":30,
                  "volumes":[{"name":"s","secret":{"defaultMode":420,"secretName":"x"}},{"emptyDir":{},"name":"e"}]}}}
                """)
        #expect(object["spec"] == expected)
        #expect(object["status"] == [:])
        #expect(object.at("metadata", "generation") == 1)
    }

    @Test(arguments: [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"),
        ("localhost:5000/nginx", "Always"), ("localhost:5000/a/nginx:2", "IfNotPresent"),
        ("nginx@sha256:0123", "IfNotPresent"),
    ])
    func `the pull policy follows the tag`(image: String, policy: String) {
        #expect(PodDefaults.pullPolicy(of: image) == policy)
    }

    @Test func `defaults are idempotent for every kind`() throws {
        for resource in ResourceRegistry().resources {
            var once: JSON = [
                "metadata": ["name": "a"], "spec": ["template": ["spec": ["containers": [["name": "c"]]]]],
            ]
            resource.strategy.applyDefaults(&once)
            var twice = once
            resource.strategy.applyDefaults(&twice)
            #expect(twice == once, "\(resource.type.plural)")
        }
    }

    @Test func `a service gets an address and full ports`() throws {
        let object = try created(
            "", "services",
            #"{"metadata":{"name":"s"},"spec":{"selector":{"a":"b"},"ports":[{"port":80},{"name":"b","port":81,"targetPort":"web"}]}}"#
                .replacing("{\"port\":80}", with: "{\"name\":\"a\",\"port\":80}"))
        let address = try #require(object.at("spec", "clusterIP")?.string)
        #expect(address.hasPrefix("10.96."))
        #expect(object.at("spec", "clusterIPs") == [.string(address)])
        #expect(object.at("spec", "type") == "ClusterIP")
        #expect(object.at("spec", "sessionAffinity") == "None")
        #expect(object.at("spec", "internalTrafficPolicy") == "Cluster")
        #expect(object.at("spec", "ipFamilies") == ["IPv4"])
        #expect(object.at("spec", "ipFamilyPolicy") == "SingleStack")
        #expect(object.at("spec", "ports")?[0] == ["name": "a", "port": 80, "protocol": "TCP", "targetPort": 80])
        #expect(object.at("spec", "ports")?[1]?["targetPort"] == "web")
        #expect(object["status"] == ["loadBalancer": [:]])
    }

    @Test func `a headless service has no address, a node port is given out`() throws {
        let headless = try created(
            "", "services", #"{"metadata":{"name":"s"},"spec":{"clusterIP":"None","selector":{"a":"b"}}}"#)
        #expect(headless.at("spec", "clusterIPs") == ["None"])
        let node = try created(
            "", "services", #"{"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"port":80}]}}"#)
        let port = try #require(node.at("spec", "ports")?[0]?["nodePort"]?.int)
        #expect((30_000...32_767).contains(port))
        #expect(node.at("spec", "externalTrafficPolicy") == "Cluster")
    }

    @Test func `a service that needs its address and port no longer gives them back`() throws {
        let resource = try Fixture.resource("", "services")
        let old = try created(
            "", "services",
            #"{"metadata":{"name":"s"},"spec":{"type":"NodePort","clusterIP":"10.96.1.1","ports":[{"port":80,"nodePort":30080}]}}"#
        )
        let book = AddressBook()
        var context = Fixture.context()
        context.addresses = book
        var new = old
        new.set("ExternalName", at: "spec", "type")
        new.set("example.test", at: "spec", "externalName")
        #expect(resource.prepareForUpdate(&new, old: old, context: context).isEmpty)
        #expect(book.state.withLock { $0.released } == ["10.96.1.1", "30080"])
        #expect(new.at("spec", "clusterIP") == nil)
        #expect(new.at("spec", "ports")?[0]?["nodePort"] == nil)
    }

    @Test func `an address that is taken is refused`() throws {
        let resource = try Fixture.resource("", "services")
        let context = Fixture.context()
        let body: JSON = [
            "metadata": ["name": "s"], "spec": ["clusterIP": "10.96.1.1", "ports": [["port": 80]]],
        ]
        var first = try resource.decode(body).object
        var second = first
        #expect(resource.prepareForCreate(&first, namespace: "conf", context: context).isEmpty)
        let errors = resource.prepareForCreate(&second, namespace: "conf", context: context)
        #expect(
            errors.map(\.line) == [
                "spec.clusterIPs: Invalid value: [\"10.96.1.1\"]: failed to allocate IP 10.96.1.1: provided IP is already "
                    + "allocated"
            ])
    }

    @Test func `a secret's texts become data`() throws {
        let object = try created(
            "", "secrets", #"{"metadata":{"name":"s"},"stringData":{"k":"v","u":"ü"},"data":{"k":"eA==","o":"eA=="}}"#)
        #expect(object["data"] == ["k": "dg==", "o": "eA==", "u": "w7w="])
        #expect(object["stringData"] == nil)
        #expect(object["type"] == "Opaque")
    }

    @Test func `a namespace gets its label, finalizer and phase`() throws {
        let object = try created("", "namespaces", #"{"metadata":{"name":"conf"}}"#, namespaced: false)
        #expect(object.at("metadata", "labels") == ["kubernetes.io/metadata.name": "conf"])
        #expect(object["spec"] == ["finalizers": ["kubernetes"]])
        #expect(object["status"] == ["phase": "Active"])
    }

    @Test func `a job gets a selector of its own`() throws {
        let object = try created(
            "batch", "jobs",
            #"{"metadata":{"name":"j"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}"#
        )
        let uid = try #require(object.at("metadata", "uid"))
        #expect(object.at("spec", "selector") == ["matchLabels": ["batch.kubernetes.io/controller-uid": uid]])
        #expect(object.at("spec", "template", "metadata", "labels", "job-name") == "j")
        #expect(object.at("spec", "completions") == 1)
        #expect(object.at("spec", "backoffLimit") == 6)
    }

    @Test func `a pod starts pending, with requests from its limits`() throws {
        let object = try created(
            "", "pods",
            #"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}}"#
        )
        #expect(object["status"] == ["phase": "Pending", "qosClass": "Guaranteed"])
        #expect(object.at("spec", "containers")?[0]?.at("resources", "requests") == ["cpu": "1", "memory": "1Gi"])
        #expect(object.at("spec", "enableServiceLinks") == true)
        #expect(object.at("spec", "serviceAccountName") == "default")
    }

    @Test func `other kinds get what they leave out`() throws {
        let policy = try created(
            "networking.k8s.io", "networkpolicies", #"{"metadata":{"name":"n"},"spec":{"podSelector":{}}}"#)
        #expect(policy["spec"] == ["podSelector": [:], "policyTypes": ["Ingress"]])
        let binding = try created(
            "rbac.authorization.k8s.io", "rolebindings",
            #"{"metadata":{"name":"b"},"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"},{"kind":"ServiceAccount","name":"s"}]}"#
        )
        #expect(binding.at("roleRef", "apiGroup") == "rbac.authorization.k8s.io")
        #expect(binding["subjects"]?[0]?["apiGroup"] == "rbac.authorization.k8s.io")
        #expect(binding["subjects"]?[1]?["apiGroup"] == nil)
        let scaler = try created(
            "autoscaling", "horizontalpodautoscalers",
            #"{"metadata":{"name":"h"},"spec":{"maxReplicas":3,"scaleTargetRef":{"kind":"Deployment","name":"d"}}}"#)
        #expect(scaler.at("spec", "minReplicas") == 1)
        #expect(scaler.at("spec", "metrics")?[0]?.at("resource", "target", "averageUtilization") == 80)
    }
}
