internal import KubernetesSchema
internal import StructuredData

/// What a pod asks for and may use at most, over its containers.
enum PodResources {
    /// - Parameter kind: `requests` or `limits`.
    static func total(of pod: JSON, _ kind: String) -> ResourceUsage {
        let spec = pod["spec"] ?? [:]
        var total = ResourceUsage()
        for container in spec["containers"].elements { total.add(amounts(of: container, kind)) }
        // Init containers run one after another before the others, but for sidecars, which stay.
        var sidecars = ResourceUsage()
        var peak = ResourceUsage()
        for container in spec["initContainers"].elements {
            var needed = amounts(of: container, kind)
            if container["restartPolicy"].text == "Always" {
                sidecars.add(needed)
                total.add(needed)
                needed = sidecars
            } else {
                needed.add(sidecars)
            }
            peak = peak.maximum(with: needed)
        }
        total = total.maximum(with: peak)
        for (name, value) in spec["overhead"]?.object ?? [:] {
            guard let amount = Quantity(json: value), kind == "requests" || total[name] != nil else { continue }
            total.add(amount, to: name)
        }
        return total
    }

    static func amounts(of container: JSON, _ kind: String) -> ResourceUsage {
        var usage = ResourceUsage()
        for (name, value) in container.at("resources", kind)?.object ?? [:] { usage[name] = Quantity(json: value) }
        return usage
    }

    static func containers(of pod: JSON) -> [JSON] {
        pod.at("spec", "containers").elements + pod.at("spec", "initContainers").elements
    }

    /// Nothing is requested or limited (quality of service class BestEffort).
    static func isBestEffort(_ pod: JSON) -> Bool {
        containers(of: pod).allSatisfy { container in
            ["requests", "limits"].allSatisfy { kind in
                ["cpu", "memory"].allSatisfy { name in
                    container.at("resources", kind, name).flatMap(Quantity.init(json:))?.nanos ?? 0 == 0
                }
            }
        }
    }
}
