internal import StructuredData

/// The tables of the core group's other kinds.
enum CoreTables {
    private static let serviceSpec = "api.core.v1.ServiceSpec"
    private static let nodeInfo = "api.core.v1.NodeSystemInfo"
    private static let claimSpec = "api.core.v1.PersistentVolumeClaimSpec"
    private static let volumeSpec = "api.core.v1.PersistentVolumeSpec"

    static let layouts: [String: TableLayout] = [
        "/configmaps": TableLayout(
            columns: [.name, TableColumn("Data", of: "api.core.v1.ConfigMap", "data"), .age]
        ) { object, now in
            let count = (object["data"]?.object?.count ?? 0) + (object["binaryData"]?.object?.count ?? 0)
            return [object.nameCell, JSON(count), object.ageCell(now)]
        },
        "/secrets": TableLayout(
            columns: [
                .name, TableColumn("Type", of: "api.core.v1.Secret", "type"),
                TableColumn("Data", of: "api.core.v1.Secret", "data"), .age,
            ]
        ) { object, now in
            [object.nameCell, object.textCell("type"), JSON(object["data"]?.object?.count ?? 0), object.ageCell(now)]
        },
        "/namespaces": TableLayout(
            columns: [.name, TableColumn("Status", "The status of the namespace"), .age]
        ) { object, now in
            [object.nameCell, object.textCell("status", "phase"), object.ageCell(now)]
        },
        "/serviceaccounts": TableLayout(
            columns: [.name, TableColumn("Secrets", of: "api.core.v1.ServiceAccount", "secrets"), .age]
        ) { object, now in
            [object.nameCell, JSON(object["secrets"].elements.count), object.ageCell(now)]
        },
        "/services": TableLayout(
            columns: [
                .name, TableColumn("Type", of: serviceSpec, "type"),
                TableColumn("Cluster-IP", of: serviceSpec, "clusterIP"),
                TableColumn("External-IP", of: serviceSpec, "externalIPs"),
                TableColumn("Port(s)", of: serviceSpec, "ports"), .age,
                TableColumn("Selector", priority: 1, of: serviceSpec, "selector"),
            ]
        ) { object, now in
            [
                object.nameCell, object.textCell("spec", "type"),
                object.textCell("spec", "clusterIP", absent: Cells.none), .string(externalAddress(of: object)),
                .string(ports(of: object)), object.ageCell(now), Cells.labels(object.at("spec", "selector")),
            ]
        },
        "/endpoints": TableLayout(
            columns: [.name, TableColumn("Endpoints", of: "api.core.v1.Endpoints", "subsets"), .age]
        ) { object, now in
            [object.nameCell, .string(endpoints(object)), object.ageCell(now)]
        },
        "/nodes": TableLayout(
            columns: [
                .name, TableColumn("Status", "The status of the node"), TableColumn("Roles", "The roles of the node"),
                .age, TableColumn("Version", of: nodeInfo, "kubeletVersion"),
                TableColumn("Internal-IP", priority: 1, of: "api.core.v1.NodeStatus", "addresses"),
                TableColumn("External-IP", priority: 1, of: "api.core.v1.NodeStatus", "addresses"),
                TableColumn("OS-Image", priority: 1, of: nodeInfo, "osImage"),
                TableColumn("Kernel-Version", priority: 1, of: nodeInfo, "kernelVersion"),
                TableColumn("Container-Runtime", priority: 1, of: nodeInfo, "containerRuntimeVersion"),
            ], cells: nodeCells),
        "/persistentvolumes": TableLayout(
            columns: [
                .name, TableColumn("Capacity", of: volumeSpec, "capacity"),
                TableColumn("Access Modes", of: volumeSpec, "accessModes"),
                TableColumn("Reclaim Policy", of: volumeSpec, "persistentVolumeReclaimPolicy"),
                TableColumn("Status", of: "api.core.v1.PersistentVolumeStatus", "phase"),
                TableColumn("Claim", of: volumeSpec, "claimRef"),
                TableColumn("StorageClass", "StorageClass of the pv"),
                TableColumn("VolumeAttributesClass", of: volumeSpec, "volumeAttributesClassName"),
                TableColumn("Reason", of: "api.core.v1.PersistentVolumeStatus", "reason"), .age,
                TableColumn("VolumeMode", priority: 1, of: volumeSpec, "volumeMode"),
            ]
        ) { object, now in
            let claim = object.at("spec", "claimRef")
            return [
                object.nameCell, object.textCell("spec", "capacity", "storage"),
                Cells.accessModes(object.at("spec", "accessModes")),
                object.textCell("spec", "persistentVolumeReclaimPolicy"), .string(phase(of: object)),
                .string(claim.map { "\($0["namespace"].text)/\($0["name"].text)" } ?? ""),
                object.textCell("spec", "storageClassName"),
                object.textCell("spec", "volumeAttributesClassName", absent: "<unset>"),
                object.textCell("status", "reason"), object.ageCell(now),
                object.textCell("spec", "volumeMode", absent: "<unset>"),
            ]
        },
        "/persistentvolumeclaims": TableLayout(
            columns: [
                .name, TableColumn("Status", of: "api.core.v1.PersistentVolumeClaimStatus", "phase"),
                TableColumn("Volume", of: claimSpec, "volumeName"),
                TableColumn("Capacity", of: "api.core.v1.PersistentVolumeClaimStatus", "capacity"),
                TableColumn("Access Modes", of: "api.core.v1.PersistentVolumeClaimStatus", "accessModes"),
                TableColumn("StorageClass", "StorageClass of the pvc"),
                TableColumn("VolumeAttributesClass", of: claimSpec, "volumeAttributesClassName"), .age,
                TableColumn("VolumeMode", priority: 1, of: claimSpec, "volumeMode"),
            ]
        ) { object, now in
            let isBound = !object.at("spec", "volumeName").isEmptyValue
            return [
                object.nameCell, .string(phase(of: object)), object.textCell("spec", "volumeName"),
                isBound ? object.textCell("status", "capacity", "storage") : "",
                isBound ? Cells.accessModes(object.at("status", "accessModes")) : "",
                object.textCell("spec", "storageClassName"),
                object.textCell("spec", "volumeAttributesClassName", absent: "<unset>"), object.ageCell(now),
                object.textCell("spec", "volumeMode", absent: "<unset>"),
            ]
        },
        "/resourcequotas": TableLayout(
            columns: [
                .name,
                TableColumn(
                    "Request", "Request represents a minimum amount of cpu/memory that a container may consume."),
                TableColumn("Limit", "Limits control the maximum amount of cpu/memory that a container may use."), .age,
            ]
        ) { object, now in
            let (requests, limits) = quota(object)
            return [object.nameCell, .string(requests), .string(limits), object.ageCell(now)]
        },
        "/componentstatuses": TableLayout(
            columns: [
                .name, TableColumn("Status", "Status of the component conditions"),
                TableColumn("Message", "Message of the component conditions"),
                TableColumn("Error", "Error of the component conditions"),
            ]
        ) { object, _ in
            let healthy = object["conditions"].elements.first { $0["type"].text == "Healthy" }
            return [
                object.nameCell, .string(healthy?["status"].text == "True" ? "Healthy" : "Unhealthy"),
                .string(healthy?["message"].text ?? ""), .string(healthy?["error"].text ?? ""),
            ]
        },
    ]

    private static func externalAddress(of service: JSON) -> String {
        let external = service.at("spec", "externalIPs").elements.compactMap(\.string)
        switch service.at("spec", "type").text {
        case "ExternalName": return service.at("spec", "externalName").text
        case "LoadBalancer":
            let ingress = service.at("status", "loadBalancer", "ingress").elements.map { entry in
                entry["ip"].text.isEmpty ? entry["hostname"].text : entry["ip"].text
            }
            let all = ingress + external
            return all.isEmpty ? "<pending>" : all.joined(separator: ",")
        default: return external.isEmpty ? Cells.none : external.joined(separator: ",")
        }
    }

    private static func ports(of service: JSON) -> String {
        let ports = service.at("spec", "ports").elements.map { port -> String in
            let node = port["nodePort"]?.int ?? 0
            return "\(port["port"]?.int ?? 0)\(node > 0 ? ":\(node)" : "")/\(port["protocol"].text)"
        }
        return ports.isEmpty ? Cells.none : ports.joined(separator: ",")
    }

    private static func endpoints(_ object: JSON) -> String {
        var texts: [String] = []
        for subset in object["subsets"].elements {
            let addresses = subset["addresses"].elements.map { $0["ip"].text }
            let ports = subset["ports"].elements
            if ports.isEmpty { texts += addresses }
            for port in ports { texts += addresses.map { "\($0):\(port["port"]?.int ?? 0)" } }
        }
        return texts.isEmpty ? Cells.none : Cells.list(texts, limit: 3)
    }

    private static func nodeCells(_ node: JSON, _ now: Int) -> [JSON] {
        let ready = node.at("status", "conditions").elements.first { $0["type"].text == "Ready" }
        var status = ready.map { $0["status"].text == "True" ? "Ready" : "NotReady" } ?? "Unknown"
        if node.at("spec", "unschedulable")?.bool == true { status += ",SchedulingDisabled" }
        let prefix = "node-role.kubernetes.io/"
        let roles = (node.at("metadata", "labels")?.object ?? [:]).compactMap { label -> String? in
            if label.key.hasPrefix(prefix), label.key.count > prefix.count {
                return String(label.key.dropFirst(prefix.count))
            }
            return label.key == "kubernetes.io/role" ? label.value.string : nil
        }
        func address(_ type: String) -> JSON {
            let found = node.at("status", "addresses").elements.first { $0["type"].text == type }
            return .string(found?["address"].text ?? Cells.none)
        }
        func info(_ key: String, absent: String = "<unknown>") -> JSON {
            node.textCell("status", "nodeInfo", key, absent: absent)
        }
        return [
            node.nameCell, .string(status), .string(roles.isEmpty ? Cells.none : roles.sorted().joined(separator: ",")),
            node.ageCell(now), info("kubeletVersion", absent: ""), address("InternalIP"), address("ExternalIP"),
            info("osImage"), info("kernelVersion"), info("containerRuntimeVersion"),
        ]
    }

    private static func phase(of object: JSON) -> String {
        object.at("metadata", "deletionTimestamp") != nil ? "Terminating" : object.at("status", "phase").text
    }

    private static func quota(_ object: JSON) -> (requests: String, limits: String) {
        var requests: [String] = []
        var limits: [String] = []
        for name in (object.at("status", "hard")?.object?.keys ?? []).sorted() {
            func amount(_ key: String) -> String {
                let value = object.at("status", key, name)
                return value?.string ?? value?.number?.text ?? "0"
            }
            let text = "\(name): \(amount("used"))/\(amount("hard"))"
            if name.hasPrefix("limits.") { limits.append(text) } else { requests.append(text) }
        }
        return (requests.joined(separator: ", "), limits.joined(separator: ", "))
    }
}
