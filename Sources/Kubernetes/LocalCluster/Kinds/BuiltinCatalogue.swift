internal import KubernetesClient
internal import KubernetesSchema

/// The built-in resources: those of the published documents, with what the documents do not say.
enum BuiltinCatalogue {
    /// In the order in which discovery lists groups; within a group by name.
    static let resources: [ServedResource] = BuiltinDefinitions.shared.resources.map(served).sorted {
        (groupRank($0.type.group), $0.type.plural) < (groupRank($1.type.group), $1.type.plural)
    }

    private static let groupOrder = [
        "", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
        "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "admissionregistration.k8s.io",
        "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    ]

    private static func groupRank(_ group: String) -> Int { groupOrder.firstIndex(of: group) ?? groupOrder.count }

    private static func served(_ resource: BuiltinDefinitions.Resource) -> ServedResource {
        let type = ResourceType(
            group: resource.group, version: resource.version, kind: resource.kind, plural: resource.plural,
            namespaced: resource.namespaced)
        let (storage, conversion) = storage(of: type)
        let subresources = resource.subresources.map { subresource in
            let isForeign = subresource.group != resource.group || subresource.version != resource.version
            return Subresource(
                subresource.name, kind: subresource.kind, group: isForeign ? subresource.group : nil,
                version: isForeign ? subresource.version : nil, verbs: subresource.verbs)
        }
        return ServedResource(
            type: type, singular: resource.kind.lowercased(), shortNames: shortNames[resource.plural] ?? [],
            categories: categories(of: type), verbs: resource.verbs, subresources: subresources,
            scale: subresources.contains { $0.name == "scale" } ? scalePaths(of: type) : nil,
            schema: BuiltinDefinitions.shared.schema(
                group: resource.group, version: resource.version, kind: resource.kind),
            isBuiltin: true, strategy: BuiltinStrategies.strategy(for: type), columns: [],
            selectableFields: selectableFields(of: type), deprecation: deprecations[type],
            storageVersion: storage, conversion: conversion)
    }

    /// What a resource is a view of; mostly of nothing but itself.
    private static func storage(of type: ResourceType) -> (ResourceType, StorageConversion) {
        switch (type.group, type.version, type.plural) {
        case ("events.k8s.io", _, "events"):
            (ResourceType(group: "", version: "v1", kind: type.kind, plural: type.plural), .eventsGroup)
        case ("autoscaling", "v1", "horizontalpodautoscalers"):
            (ResourceType(group: type.group, version: "v2", kind: type.kind, plural: type.plural), .autoscaler)
        default: (type, .none)
        }
    }

    private static let shortNames: [String: [String]] = [
        "componentstatuses": ["cs"], "configmaps": ["cm"], "endpoints": ["ep"], "events": ["ev"],
        "limitranges": ["limits"], "namespaces": ["ns"], "nodes": ["no"], "persistentvolumeclaims": ["pvc"],
        "persistentvolumes": ["pv"], "pods": ["po"], "replicationcontrollers": ["rc"], "resourcequotas": ["quota"],
        "serviceaccounts": ["sa"], "services": ["svc"], "daemonsets": ["ds"], "deployments": ["deploy"],
        "replicasets": ["rs"], "statefulsets": ["sts"], "cronjobs": ["cj"], "horizontalpodautoscalers": ["hpa"],
        "ingresses": ["ing"], "ipaddresses": ["ip"], "networkpolicies": ["netpol"], "poddisruptionbudgets": ["pdb"],
        "customresourcedefinitions": ["crd", "crds"], "priorityclasses": ["pc"],
    ]

    private static let deprecations: [ResourceType: String] = [
        .init(group: "", version: "v1", kind: "ComponentStatus", plural: "componentstatuses", namespaced: false):
            "v1 ComponentStatus is deprecated in v1.19+",
        .init(group: "", version: "v1", kind: "Endpoints", plural: "endpoints"):
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ]

    private static let inCategoryAll: Set<String> = [
        "pods", "replicationcontrollers", "services", "daemonsets", "deployments", "replicasets", "statefulsets",
        "cronjobs", "jobs", "horizontalpodautoscalers",
    ]

    private static func categories(of type: ResourceType) -> [String] {
        switch type.group {
        case "admissionregistration.k8s.io", "apiextensions.k8s.io": ["api-extensions"]
        default: inCategoryAll.contains(type.plural) ? ["all"] : []
        }
    }

    private static func scalePaths(of type: ResourceType) -> ScalePaths {
        ScalePaths(
            specReplicas: ["spec", "replicas"], statusReplicas: ["status", "replicas"], selector: ["spec", "selector"])
    }

    private static func selectableFields(of type: ResourceType) -> [String: SelectableField] {
        func plain(_ fields: String...) -> [String: SelectableField] {
            Dictionary(
                uniqueKeysWithValues: fields.map { field in
                    (field, SelectableField(paths: [field.split(separator: ".").map(String.init)], absent: ""))
                })
        }
        switch (type.group, type.plural) {
        case ("", "pods"):
            var fields = plain(
                "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase",
                "status.podIP", "status.podIPs", "status.nominatedNodeName")
            fields["spec.hostNetwork"] = SelectableField(paths: [["spec", "hostNetwork"]], absent: "false")
            return fields
        case ("", "events"):
            var fields = plain(
                "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
                "reportingComponent", "type")
            fields["source"] = SelectableField(paths: [["source", "component"], ["reportingComponent"]], absent: "")
            return fields
        case ("events.k8s.io", "events"):
            var fields = plain(
                "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion",
                "regarding.resourceVersion", "regarding.fieldPath", "reason", "reportingController", "type")
            fields["source"] = SelectableField(
                paths: [["deprecatedSource", "component"], ["reportingController"]], absent: "")
            return fields
        case ("", "secrets"): return plain("type")
        case ("", "namespaces"): return plain("status.phase")
        case ("", "nodes"):
            return ["spec.unschedulable": SelectableField(paths: [["spec", "unschedulable"]], absent: "false")]
        case ("", "services"): return plain("spec.clusterIP", "spec.type")
        case ("", "replicationcontrollers"), ("apps", "replicasets"):
            return ["status.replicas": SelectableField(paths: [["status", "replicas"]], absent: "0")]
        case ("batch", "jobs"):
            return ["status.successful": SelectableField(paths: [["status", "succeeded"]], absent: "0")]
        default: return [:]
        }
    }
}
