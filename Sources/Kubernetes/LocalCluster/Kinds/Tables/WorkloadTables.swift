internal import StructuredData

/// The tables of kinds that make pods.
enum WorkloadTables {
    private static let replicaSetStatus = "api.apps.v1.ReplicaSetStatus"
    private static let daemonSetStatus = "api.apps.v1.DaemonSetStatus"
    private static let wide = TableColumn.containers
    private static func selector(_ definition: String) -> TableColumn {
        TableColumn("Selector", priority: 1, of: definition, "selector")
    }

    static let layouts: [String: TableLayout] = [
        "apps/deployments": TableLayout(
            columns: [
                .name, TableColumn("Ready", "Number of the pod with ready state"),
                TableColumn("Up-to-date", of: "api.apps.v1.DeploymentStatus", "updatedReplicas"),
                TableColumn("Available", of: "api.apps.v1.DeploymentStatus", "availableReplicas"), .age,
            ] + wide + [selector("api.apps.v1.DeploymentSpec")]
        ) { object, now in
            let ready = object.count("status", "readyReplicas").int ?? 0
            let desired = object.count("spec", "replicas").int ?? 0
            return [
                object.nameCell, .string("\(ready)/\(desired)"), object.count("status", "updatedReplicas"),
                object.count("status", "availableReplicas"), object.ageCell(now),
            ] + Cells.containers(object.at("spec", "template", "spec"))
                + [Cells.selector(object.at("spec", "selector"))]
        },
        "apps/replicasets": TableLayout(
            columns: replicaColumns("api.apps.v1.ReplicaSetSpec") + wide + [selector("api.apps.v1.ReplicaSetSpec")]
        ) { object, now in
            replicaCells(object, now) + Cells.containers(object.at("spec", "template", "spec"))
                + [Cells.selector(object.at("spec", "selector"))]
        },
        "/replicationcontrollers": TableLayout(
            columns: replicaColumns("api.core.v1.ReplicationControllerSpec") + wide
                + [selector("api.core.v1.ReplicationControllerSpec")]
        ) { object, now in
            replicaCells(object, now) + Cells.containers(object.at("spec", "template", "spec"))
                + [Cells.labels(object.at("spec", "selector"))]
        },
        "apps/statefulsets": TableLayout(
            columns: [.name, TableColumn("Ready", "Number of the pod with ready state"), .age] + wide
        ) { object, now in
            let ready = object.count("status", "readyReplicas").int ?? 0
            let desired = object.count("spec", "replicas").int ?? 0
            return [object.nameCell, .string("\(ready)/\(desired)"), object.ageCell(now)]
                + Cells.containers(object.at("spec", "template", "spec"))
        },
        "apps/daemonsets": TableLayout(
            columns: [
                .name,
                TableColumn("Desired", type: "integer", of: daemonSetStatus, "desiredNumberScheduled"),
                TableColumn("Current", type: "integer", of: daemonSetStatus, "currentNumberScheduled"),
                TableColumn("Ready", type: "integer", of: daemonSetStatus, "numberReady"),
                TableColumn("Up-to-date", type: "integer", of: daemonSetStatus, "updatedNumberScheduled"),
                TableColumn("Available", type: "integer", of: daemonSetStatus, "numberAvailable"),
                TableColumn("Node Selector", of: "api.core.v1.PodSpec", "nodeSelector"), .age,
            ] + wide + [selector("api.apps.v1.DaemonSetSpec")]
        ) { object, now in
            [object.nameCell]
                + [
                    "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
                    "numberAvailable",
                ].map { object.count("status", $0) }
                + [Cells.labels(object.at("spec", "template", "spec", "nodeSelector")), object.ageCell(now)]
                + Cells.containers(object.at("spec", "template", "spec"))
                + [Cells.selector(object.at("spec", "selector"))]
        },
        "apps/controllerrevisions": TableLayout(
            columns: [
                .name, TableColumn("Controller", "Controller of the object"),
                TableColumn("Revision", of: "api.apps.v1.ControllerRevision", "revision"), .age,
            ]
        ) { object, now in
            let owner = object.at("metadata", "ownerReferences").elements.first { $0["controller"]?.bool == true }
            return [object.nameCell, .string(ownerText(owner)), object.count("revision"), object.ageCell(now)]
        },
        "batch/jobs": TableLayout(
            columns: [
                .name, TableColumn("Status", "Status of the job."),
                TableColumn("Completions", of: "api.batch.v1.JobStatus", "succeeded"),
                TableColumn("Duration", "Time required to complete the job."), .age,
            ] + wide + [selector("api.batch.v1.JobSpec")]
        ) { object, now in
            [
                object.nameCell, .string(jobStatus(object)), .string(completions(object)),
                .string(jobDuration(object, now)), object.ageCell(now),
            ] + Cells.containers(object.at("spec", "template", "spec"))
                + [Cells.selector(object.at("spec", "selector"))]
        },
        "batch/cronjobs": TableLayout(
            columns: [
                .name, TableColumn("Schedule", of: "api.batch.v1.CronJobSpec", "schedule"),
                TableColumn("Timezone", of: "api.batch.v1.CronJobSpec", "timeZone"),
                TableColumn("Suspend", type: "boolean", of: "api.batch.v1.CronJobSpec", "suspend"),
                TableColumn("Active", type: "integer", of: "api.batch.v1.CronJobStatus", "active"),
                TableColumn("Last Schedule", of: "api.batch.v1.CronJobStatus", "lastScheduleTime"), .age,
            ] + wide + [selector("api.batch.v1.JobSpec")]
        ) { object, now in
            let last = object.at("status", "lastScheduleTime")?.string
            let isSuspended = object.at("spec", "suspend")?.bool
            return [
                object.nameCell, object.textCell("spec", "schedule"),
                object.textCell("spec", "timeZone", absent: Cells.none),
                .string(isSuspended.map { $0 ? "True" : "False" } ?? "<unset>"),
                JSON(object.at("status", "active").elements.count),
                .string(last.map { Moment.age(of: $0, now: now) } ?? Cells.none), object.ageCell(now),
            ] + Cells.containers(object.at("spec", "jobTemplate", "spec", "template", "spec"))
                + [Cells.selector(object.at("spec", "jobTemplate", "spec", "selector"))]
        },
    ]

    private static func replicaColumns(_ spec: String) -> [TableColumn] {
        [
            .name, TableColumn("Desired", type: "integer", of: spec, "replicas"),
            TableColumn("Current", type: "integer", of: replicaSetStatus, "replicas"),
            TableColumn("Ready", type: "integer", of: replicaSetStatus, "readyReplicas"), .age,
        ]
    }

    private static func replicaCells(_ object: JSON, _ now: Int) -> [JSON] {
        [
            object.nameCell, object.count("spec", "replicas"), object.count("status", "replicas"),
            object.count("status", "readyReplicas"), object.ageCell(now),
        ]
    }

    private static func ownerText(_ owner: JSON?) -> String {
        guard let owner else { return Cells.none }
        let group = owner["apiVersion"].text.split(separator: "/").dropLast().first.map { ".\($0)" } ?? ""
        return "\(owner["kind"].text.lowercased())\(group)/\(owner["name"].text)"
    }

    private static func jobStatus(_ job: JSON) -> String {
        let conditions = job.at("status", "conditions").elements
        for type in ["Complete", "Failed"]
        where conditions.contains(where: { $0["type"].text == type && $0["status"].text == "True" }) {
            return type
        }
        if job.at("metadata", "deletionTimestamp") != nil { return "Terminating" }
        for type in ["Suspended", "FailureTarget", "SuccessCriteriaMet"]
        where conditions.contains(where: { $0["type"].text == type && $0["status"].text == "True" }) {
            return type
        }
        return "Running"
    }

    private static func completions(_ job: JSON) -> String {
        let succeeded = job.at("status", "succeeded")?.int ?? 0
        if let wanted = job.at("spec", "completions")?.int { return "\(succeeded)/\(wanted)" }
        let parallelism = job.at("spec", "parallelism")?.int ?? 0
        return parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
    }

    private static func jobDuration(_ job: JSON, _ now: Int) -> String {
        guard let start = job.at("status", "startTime")?.string.flatMap(Moment.seconds) else { return "" }
        let end = job.at("status", "completionTime")?.string.flatMap(Moment.seconds) ?? now
        return Moment.duration(end - start)
    }
}
