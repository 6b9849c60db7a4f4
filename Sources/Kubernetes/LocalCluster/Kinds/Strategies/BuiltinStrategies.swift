internal import KubernetesClient
internal import StructuredData

/// Which strategy a built-in kind has.
enum BuiltinStrategies {
    static func strategy(for type: ResourceType) -> any ResourceStrategy {
        if type.group == "admissionregistration.k8s.io" { return AdmissionStrategy() }
        if type.group == "autoscaling", type.version == "v1" { return AutoscalerVersion1Strategy() }
        return strategies["\(type.group)/\(type.plural)"] ?? PlainStrategy()
    }

    private static let strategies: [String: any ResourceStrategy] = [
        "/configmaps": ConfigMapStrategy(),
        "/secrets": SecretStrategy(),
        "/services": ServiceStrategy(),
        "/endpoints": EndpointsStrategy(),
        "/namespaces": NamespaceStrategy(),
        "/nodes": NodeStrategy(),
        "/pods": PodStrategy(),
        "/podtemplates": PodTemplateStrategy(),
        "/replicationcontrollers": ReplicationControllerStrategy(),
        "/persistentvolumes": PersistentVolumeStrategy(),
        "/persistentvolumeclaims": PersistentVolumeClaimStrategy(),
        "/limitranges": LimitRangeStrategy(),
        "/resourcequotas": ResourceQuotaStrategy(),
        "/events": EventStrategy(isCoreView: true),
        "events.k8s.io/events": EventStrategy(isCoreView: false),
        "apps/deployments": DeploymentStrategy(),
        "apps/replicasets": ReplicaSetStrategy(),
        "apps/statefulsets": StatefulSetStrategy(),
        "apps/daemonsets": DaemonSetStrategy(),
        "apps/controllerrevisions": ControllerRevisionStrategy(),
        "batch/jobs": JobStrategy(),
        "batch/cronjobs": CronJobStrategy(),
        "autoscaling/horizontalpodautoscalers": AutoscalerStrategy(),
        "policy/poddisruptionbudgets": DisruptionBudgetStrategy(),
        "scheduling.k8s.io/priorityclasses": PriorityClassStrategy(),
        "networking.k8s.io/ingresses": IngressStrategy(),
        "networking.k8s.io/ingressclasses": IngressClassStrategy(),
        "networking.k8s.io/networkpolicies": NetworkPolicyStrategy(),
        "rbac.authorization.k8s.io/roles": RoleStrategy(),
        "rbac.authorization.k8s.io/clusterroles": RoleStrategy(),
        "rbac.authorization.k8s.io/rolebindings": RoleBindingStrategy(roleKinds: ["Role", "ClusterRole"]),
        "rbac.authorization.k8s.io/clusterrolebindings": RoleBindingStrategy(roleKinds: ["ClusterRole"]),
        "coordination.k8s.io/leases": LeaseStrategy(),
        "discovery.k8s.io/endpointslices": EndpointSliceStrategy(),
        "apiextensions.k8s.io/customresourcedefinitions": DefinitionStrategy(),
    ]
}

/// A kind that is kept as it comes.
struct PlainStrategy: ResourceStrategy {}

/// Webhooks and admission policies: kept as they come, never called.
struct AdmissionStrategy: ResourceStrategy {
    var generation: GenerationRule { .everythingButStatus }

    func warnings(_ object: JSON, old: JSON?) -> [String] {
        ["\(object["kind"].text) has no effect: this server calls no webhooks and evaluates no admission policies"]
    }
}
