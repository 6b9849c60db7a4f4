internal import StructuredData

/// The tables of networking, policy, access, coordination and admission kinds.
enum OtherTables {
    private static let autoscaler = "api.autoscaling.v2.HorizontalPodAutoscalerSpec"
    private static let priorityClass = "api.scheduling.v1.PriorityClass"
    private static let bindingColumns: [TableColumn] = [
        .name, TableColumn("Role", of: "api.rbac.v1.RoleBinding", "roleRef"), .age,
        TableColumn("Users", priority: 1, "Users in the roleBinding"),
        TableColumn("Groups", priority: 1, "Groups in the roleBinding"),
        TableColumn("ServiceAccounts", priority: 1, "ServiceAccounts in the roleBinding"),
    ]

    static let layouts: [String: TableLayout] = [
        "/events": TableLayout(columns: EventTable.columns, cells: EventTable.cells),
        "events.k8s.io/events": TableLayout(columns: EventTable.columns, cells: EventTable.cellsOfNewForm),
        "networking.k8s.io/ingresses": TableLayout(
            columns: [
                .name,
                TableColumn("Class", "The name of the IngressClass resource that should be used for this ingress"),
                TableColumn("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
                TableColumn("Address", "Address is a list containing ingress points for the load-balancer"),
                TableColumn("Ports", "Ports of TLS configurations that open"), .age,
            ]
        ) { object, now in
            let hosts = object.at("spec", "rules").elements.map { $0["host"].text }.filter { !$0.isEmpty }
            let addresses = object.at("status", "loadBalancer", "ingress").elements.map { entry in
                entry["ip"].text.isEmpty ? entry["hostname"].text : entry["ip"].text
            }
            return [
                object.nameCell, object.textCell("spec", "ingressClassName", absent: Cells.none),
                .string(hosts.isEmpty ? "*" : Cells.list(hosts, limit: 3)),
                .string(addresses.joined(separator: ",")),
                .string(object.at("spec", "tls").isEmptyValue ? "80" : "80, 443"), object.ageCell(now),
            ]
        },
        "networking.k8s.io/ingressclasses": TableLayout(
            columns: [
                .name, TableColumn("Controller", "Controller that is responsible for handling this class"),
                TableColumn("Parameters", "A reference to a resource with additional parameters"), .age,
            ]
        ) { object, now in
            let parameters = object.at("spec", "parameters")
            let group = parameters?["apiGroup"].text ?? ""
            let text = parameters.map { "\($0["kind"].text)\(group.isEmpty ? "" : ".\(group)")/\($0["name"].text)" }
            return [
                object.nameCell, object.textCell("spec", "controller"), .string(text ?? Cells.none),
                object.ageCell(now),
            ]
        },
        "networking.k8s.io/networkpolicies": TableLayout(
            columns: [
                .name, TableColumn("Pod-Selector", of: "api.networking.v1.NetworkPolicySpec", "podSelector"), .age,
            ]
        ) { object, now in
            [object.nameCell, Cells.selector(object.at("spec", "podSelector")), object.ageCell(now)]
        },
        "networking.k8s.io/servicecidrs": TableLayout(
            columns: [.name, TableColumn("CIDRs", of: "api.networking.v1.ServiceCIDRSpec", "cidrs"), .age]
        ) { object, now in
            let ranges = object.at("spec", "cidrs").elements.compactMap(\.string)
            return [object.nameCell, .string(ranges.joined(separator: ",")), object.ageCell(now)]
        },
        "networking.k8s.io/ipaddresses": TableLayout(
            columns: [
                .name, TableColumn("ParentRef", of: "api.networking.v1.IPAddressSpec", "parentRef"), .age,
            ]
        ) { object, now in
            let parent = object.at("spec", "parentRef") ?? [:]
            let parts = [parent["group"].text, parent["resource"].text, parent["namespace"].text, parent["name"].text]
            let group = parts[0].isEmpty ? "" : ".\(parts[0])"
            return [
                object.nameCell,
                .string("\(parts[1])\(group)/" + (parts[2].isEmpty ? "" : "\(parts[2])/") + parts[3]),
                object.ageCell(now),
            ]
        },
        "policy/poddisruptionbudgets": TableLayout(
            columns: [
                .name, TableColumn("Min Available", "The minimum number of pods that must be available."),
                TableColumn("Max Unavailable", "The maximum number of pods that may be unavailable."),
                TableColumn(
                    "Allowed Disruptions", type: "integer",
                    "Calculated number of pods that may be disrupted at this time."), .age,
            ]
        ) { object, now in
            [
                object.nameCell, Cells.intOrText(object.at("spec", "minAvailable"), absent: "N/A"),
                Cells.intOrText(object.at("spec", "maxUnavailable"), absent: "N/A"),
                object.count("status", "disruptionsAllowed"), object.ageCell(now),
            ]
        },
        "scheduling.k8s.io/priorityclasses": TableLayout(
            columns: [
                .name, TableColumn("Value", type: "integer", of: priorityClass, "value"),
                TableColumn("Global-Default", type: "boolean", of: priorityClass, "globalDefault"), .age,
                TableColumn("PreemptionPolicy", of: priorityClass, "preemptionPolicy"),
            ]
        ) { object, now in
            [
                object.nameCell, object.count("value"), .bool(object["globalDefault"]?.bool ?? false),
                object.ageCell(now), object.textCell("preemptionPolicy"),
            ]
        },
        "autoscaling/horizontalpodautoscalers": TableLayout(
            columns: [
                .name, TableColumn("Reference", of: autoscaler, "scaleTargetRef"),
                TableColumn("Targets", of: autoscaler, "metrics"),
                TableColumn("MinPods", of: autoscaler, "minReplicas"),
                TableColumn("MaxPods", of: autoscaler, "maxReplicas"),
                TableColumn(
                    "Replicas", type: "integer", of: "api.autoscaling.v2.HorizontalPodAutoscalerStatus",
                    "currentReplicas"), .age,
            ]
        ) { object, now in
            let object = object["apiVersion"] == "autoscaling/v1" ? AutoscalerConversion.toVersion2(object) : object
            let target = object.at("spec", "scaleTargetRef") ?? [:]
            return [
                object.nameCell, .string("\(target["kind"].text)/\(target["name"].text)"),
                .string(AutoscalerMetrics.text(of: object)),
                Cells.intOrText(object.at("spec", "minReplicas"), absent: "<unset>"),
                object.count("spec", "maxReplicas"), object.count("status", "currentReplicas"), object.ageCell(now),
            ]
        },
        "rbac.authorization.k8s.io/rolebindings": TableLayout(columns: bindingColumns, cells: bindingCells),
        "rbac.authorization.k8s.io/clusterrolebindings": TableLayout(columns: bindingColumns, cells: bindingCells),
        "coordination.k8s.io/leases": TableLayout(
            columns: [.name, TableColumn("Holder", of: "api.coordination.v1.LeaseSpec", "holderIdentity"), .age]
        ) { object, now in
            [object.nameCell, object.textCell("spec", "holderIdentity"), object.ageCell(now)]
        },
        "discovery.k8s.io/endpointslices": TableLayout(
            columns: [
                .name, TableColumn("AddressType", of: "api.discovery.v1.EndpointSlice", "addressType"),
                TableColumn("Ports", of: "api.discovery.v1.EndpointSlice", "ports"),
                TableColumn("Endpoints", of: "api.discovery.v1.EndpointSlice", "endpoints"), .age,
            ]
        ) { object, now in
            let ports = object["ports"].elements.map { $0["port"]?.int.map(String.init) ?? $0["name"]?.string ?? "*" }
            let addresses = object["endpoints"].elements.flatMap { $0["addresses"].elements.compactMap(\.string) }
            func cell(_ texts: [String]) -> JSON { .string(texts.isEmpty ? "<unset>" : Cells.list(texts, limit: 3)) }
            return [object.nameCell, object.textCell("addressType"), cell(ports), cell(addresses), object.ageCell(now)]
        },
        "admissionregistration.k8s.io/mutatingwebhookconfigurations": webhooks,
        "admissionregistration.k8s.io/validatingwebhookconfigurations": webhooks,
    ]

    private static let webhooks = TableLayout(
        columns: [
            .name, TableColumn("Webhooks", type: "integer", "Webhooks indicates the number of webhooks registered"),
            .age,
        ]
    ) { object, now in
        [object.nameCell, JSON(object["webhooks"].elements.count), object.ageCell(now)]
    }

    private static func bindingCells(_ object: JSON, _ now: Int) -> [JSON] {
        func subjects(_ kind: String) -> JSON {
            let names = object["subjects"].elements.filter { $0["kind"].text == kind }.map { subject in
                let namespace = subject["namespace"].text
                return kind == "ServiceAccount" ? "\(namespace)/\(subject["name"].text)" : subject["name"].text
            }
            return .string(names.joined(separator: ", "))
        }
        return [
            object.nameCell, .string("\(object.at("roleRef", "kind").text)/\(object.at("roleRef", "name").text)"),
            object.ageCell(now), subjects("User"), subjects("Group"), subjects("ServiceAccount"),
        ]
    }
}

/// The `Targets` cell of an autoscaler: current and wanted value of each metric.
enum AutoscalerMetrics {
    private static let shown = 2

    static func text(of autoscaler: JSON) -> String {
        let metrics = autoscaler.at("spec", "metrics").elements
        guard !metrics.isEmpty else { return Cells.none }
        let statuses = autoscaler.at("status", "currentMetrics").elements
        let texts = metrics.enumerated().map { index, metric in
            text(of: metric, status: statuses.indices.contains(index) ? statuses[index] : nil)
        }
        let list = texts.prefix(shown).joined(separator: ", ")
        return texts.count > shown ? "\(list) + \(texts.count - shown) more..." : list
    }

    private static func text(of metric: JSON, status: JSON?) -> String {
        guard let source = AutoscalerMetricForm.sources[metric["type"].text], let wanted = metric[source] else {
            return "<unknown type>"
        }
        let target = wanted["target"] ?? [:]
        let current = status?.at(source, "current")
        let isResource = source == "resource" || source == "containerResource"
        let prefix = isResource ? "\(wanted["name"].text): " : ""
        if isResource, let utilization = target["averageUtilization"]?.int {
            let now = current?["averageUtilization"]?.int.map { "\($0)%" } ?? "<unknown>"
            return "\(prefix)\(now)/\(utilization)%"
        }
        if let average = target["averageValue"] {
            let suffix = isResource || source == "pods" ? "" : " (avg)"
            return "\(prefix)\(amount(current?["averageValue"]))/\(amount(average))\(suffix)"
        }
        return "\(prefix)\(amount(current?["value"]))/\(amount(target["value"]))"
    }

    private static func amount(_ value: JSON?) -> String {
        value?.string ?? value?.number?.text ?? "<unknown>"
    }
}
