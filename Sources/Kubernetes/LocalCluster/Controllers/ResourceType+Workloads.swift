internal import KubernetesClient

extension ResourceType {
    static let jobs = ResourceType(group: "batch", version: "v1", kind: "Job", plural: "jobs")
    static let cronJobs = ResourceType(group: "batch", version: "v1", kind: "CronJob", plural: "cronjobs")
    static let statefulSets = ResourceType(group: "apps", version: "v1", kind: "StatefulSet", plural: "statefulsets")
    static let daemonSets = ResourceType(group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets")
    static let controllerRevisions = ResourceType(
        group: "apps", version: "v1", kind: "ControllerRevision", plural: "controllerrevisions")
    static let autoscalers = ResourceType(
        group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", plural: "horizontalpodautoscalers")
}
