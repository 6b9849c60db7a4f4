internal import StructuredData

/// The defaults of pods and pod templates (`pkg/apis/core/v1/defaults.go` of Kubernetes).
enum PodDefaults {
    /// A `PodTemplateSpec`.
    static func template(_ template: inout JSON) {
        template.withObject("spec") { PodDefaults.spec(&$0) }
    }

    static func spec(_ spec: inout JSON) {
        spec.setDefault("dnsPolicy", "ClusterFirst")
        spec.setDefault("restartPolicy", "Always")
        spec.setDefault("schedulerName", "default-scheduler")
        spec.setDefault("terminationGracePeriodSeconds", 30)
        spec.setDefault("securityContext", [:])
        if spec["serviceAccountName"].isEmptyValue, let old = spec["serviceAccount"], !old.isEmptyValue {
            spec["serviceAccountName"] = old
        } else if let name = spec["serviceAccountName"], !name.isEmptyValue {
            spec["serviceAccount"] = name
        }
        for key in ["containers", "initContainers", "ephemeralContainers"] { spec.forEach(key, container) }
        spec.forEach("volumes", volume)
        if spec["hostNetwork"]?.bool == true { hostPorts(&spec) }
    }

    /// What only pods get, not their templates.
    static func pod(_ spec: inout JSON) {
        spec.setDefault("enableServiceLinks", true)
        for key in ["containers", "initContainers"] {
            spec.forEach(key) { container in
                container.with("resources") { resources in
                    guard let limits = resources["limits"]?.object, !limits.isEmpty else { return }
                    resources.withObject("requests") { requests in
                        for (name, limit) in limits { requests.setDefault(name, limit) }
                    }
                }
            }
        }
    }

    private static func container(_ container: inout JSON) {
        container.setDefault("imagePullPolicy", .string(pullPolicy(of: container["image"].text)))
        container.setDefault("resources", [:])
        container.setDefault("terminationMessagePath", "/dev/termination-log")
        container.setDefault("terminationMessagePolicy", "File")
        container.forEach("ports") { $0.setDefault("protocol", "TCP") }
        container.forEach("env") { variable in
            variable.with("valueFrom") { source in
                source.with("fieldRef") { $0.setDefault("apiVersion", "v1") }
                source.with("resourceFieldRef") { $0.setDefault("divisor", "0") }
            }
        }
        for key in ["livenessProbe", "readinessProbe", "startupProbe"] { container.with(key, probe) }
        container.with("lifecycle") { lifecycle in
            for key in ["postStart", "preStop"] {
                lifecycle.with(key) { $0.with("httpGet", httpGet) }
            }
        }
    }

    /// `Always` for the tag `latest` or none; a digest or another tag gives `IfNotPresent`.
    static func pullPolicy(of image: String) -> String {
        if image.contains("@") { return "IfNotPresent" }
        let name = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        let tag = name.split(separator: ":", omittingEmptySubsequences: false).dropFirst().first
        return tag == nil || tag == "latest" ? "Always" : "IfNotPresent"
    }

    private static func probe(_ probe: inout JSON) {
        probe.setDefaultForZero("timeoutSeconds", 1)
        probe.setDefaultForZero("periodSeconds", 10)
        probe.setDefaultForZero("successThreshold", 1)
        probe.setDefaultForZero("failureThreshold", 3)
        probe.with("httpGet", httpGet)
        probe.with("grpc") { $0.setDefault("service", "") }
    }

    private static func httpGet(_ action: inout JSON) {
        action.setDefault("path", "/")
        action.setDefault("scheme", "HTTP")
    }

    private static func volume(_ volume: inout JSON) {
        if volume.object?.keys.allSatisfy({ $0 == "name" }) ?? true { volume["emptyDir"] = [:] }
        for key in ["secret", "configMap", "downwardAPI", "projected"] {
            volume.with(key) { $0.setDefault("defaultMode", 420) }
        }
        volume.with("hostPath") { $0.setDefault("type", "") }
        volume.with("downwardAPI") { $0.forEach("items", fieldItem) }
        volume.with("projected") { projected in
            projected.forEach("sources") { source in
                source.with("serviceAccountToken") { $0.setDefault("expirationSeconds", 3600) }
                source.with("downwardAPI") { $0.forEach("items", fieldItem) }
            }
        }
        volume.with("ephemeral") { ephemeral in
            ephemeral.with("volumeClaimTemplate") {
                $0.withObject("spec") { $0.setDefault("volumeMode", "Filesystem") }
            }
        }
    }

    private static func fieldItem(_ item: inout JSON) {
        item.with("fieldRef") { $0.setDefault("apiVersion", "v1") }
    }

    private static func hostPorts(_ spec: inout JSON) {
        for key in ["containers", "initContainers"] {
            spec.forEach(key) { container in
                container.forEach("ports") { port in
                    if let number = port["containerPort"]?.int { port.setDefaultForZero("hostPort", number) }
                }
            }
        }
    }
}
