internal import StructuredData

/// What the Prometheus operator is told about this one: where its metrics are, and when to wake somebody.
enum Monitoring {
    private static let apiVersion = "monitoring.coreos.com/v1"

    /// `manifests/components/monitoring`.
    static func objects(of installation: Installation) -> [JSON] {
        [
            installation.object(
                apiVersion, "ServiceMonitor", in: installation.namespace, [("spec", serviceMonitor)]),
            installation.object(
                apiVersion, "PrometheusRule", in: installation.namespace, [("spec", ["groups": alertGroups])]),
        ]
    }

    private static var serviceMonitor: JSON {
        [
            // The operator's series name the app that they are about, by `namespace` and `app`.
            "endpoints": [["honorLabels": true, "interval": "30s", "port": "metrics"]],
            // So that `job` is the same whatever the Service is called.
            "jobLabel": .string(Label.name),
            "selector": ["matchLabels": Installation.selector],
        ]
    }

    static var alertGroups: JSON {
        [["name": .string(Installation.name), "rules": .array(alerts.map(\.json))]]
    }

    private static let job = #"{job="todo-operator"}"#

    static let alerts = [
        Alert(
            "TodoOperatorNotLeading", .critical, after: "5m",
            // By name: operators that share the apps have a Lease each.
            when: """
                absent(leader_election_master_status\(job))
                  or max by (name) (leader_election_master_status\(job)) == 0
                """,
            summary: "No todo-operator leads",
            description:
                "Nothing is changed or mended, and reminders of apps without workers of their own do not fire. "
                + "See the pods and the log of the operator."),
        Alert(
            "TodoOperatorReconcileFailing", .warning, after: "15m",
            when: """
                sum by (controller) (rate(controller_runtime_reconcile_errors_total\(job)[10m]))
                  / sum by (controller) (rate(controller_runtime_reconcile_total\(job)[10m])) > 0.2
                """,
            summary: "Passes of the controller {{ $labels.controller }} fail",
            description:
                "{{ $value | humanizePercentage }} of the passes ended in an error. The log of the operator names the "
                + "objects and the errors."),
        Alert(
            "TodoOperatorQueueGrowing", .warning, after: "15m", when: "workqueue_depth\(job) > 100",
            summary: "{{ $value }} objects wait for the controller {{ $labels.name }}",
            description: "The operator does not keep up. Give it more processor time, or more --workers."),
        Alert(
            "TodoOperatorStuck", .warning, after: "5m",
            // A pass is cut off after two minutes.
            when: "max by (name) (workqueue_longest_running_processor_seconds\(job)) > 600",
            summary: "A pass of the controller {{ $labels.name }} does not end",
            description:
                "It keeps a worker from all other objects. Restart the operator; its log names what the pass was about, "
                + "if anything."),
        Alert(
            "TodoOperatorWatchFailing", .warning, after: "15m",
            when: "sum by (group, kind) (increase(reflector_failures_total\(job)[10m])) > 3",
            summary: "{{ $labels.kind }} cannot be watched",
            description:
                "The operator does not see changes of these objects. Its log says why: often a rule is missing from its "
                + "role, or a CRD was removed."),
        Alert(
            "TodoOperatorAPIErrors", .warning, after: "10m",
            when: """
                sum(rate(rest_client_requests_total{job="todo-operator",code=~"5..|<error>"}[5m]))
                  / sum(rate(rest_client_requests_total\(job)[5m])) > 0.1
                """,
            summary: "The API server fails the operator",
            description: "{{ $value | humanizePercentage }} of the operator's requests failed. See the API server."),
        Alert(
            "TodoAppNotReady", .warning, after: "30m",
            when: "max by (namespace, app) (todo_app_ready\(job)) == 0",
            summary: "TodoApp {{ $labels.namespace }}/{{ $labels.app }} is not ready",
            description:
                "Its condition Ready says what is missing and what to do: kubectl describe todoapp -n "
                + "{{ $labels.namespace }} {{ $labels.app }}"),
        Alert(
            "TodoRemindersLate", .warning, after: "5m",
            when: """
                histogram_quantile(0.99, sum by (namespace, app, le) (
                  rate(todo_reminder_lateness_seconds_bucket[5m]))) > 10
                """,
            summary: "Reminders of {{ $labels.namespace }}/{{ $labels.app }} fire late",
            description:
                "One in a hundred fires {{ $value | humanizeDuration }} late or later. See the load of its database, and "
                + "of what runs its workers."),
        Alert(
            "TodoRemindersFailing", .critical, after: "5m",
            when: "sum by (namespace, app) (increase(todo_reminders_failed_total[5m])) > 5",
            summary: "Reminders of {{ $labels.namespace }}/{{ $labels.app }} cannot be fired",
            description:
                "Its workers do not get at its database. The condition WorkersReady of the TodoApp and the log say why; "
                + "what is due meanwhile fires late, marked so."),
    ]
}

/// An alert of Prometheus.
struct Alert {
    enum Severity: String { case warning, critical }

    let name: String
    let severity: Severity
    let duration: String
    let expression: String
    let summary: String
    let description: String

    init(
        _ name: String, _ severity: Severity, after duration: String, when expression: String, summary: String,
        description: String
    ) {
        self.name = name
        self.severity = severity
        self.duration = duration
        self.expression = expression
        self.summary = summary
        self.description = description
    }

    var json: JSON {
        [
            "alert": .string(name),
            "annotations": ["description": .string(description), "summary": .string(summary)],
            "expr": .string(expression), "for": .string(duration), "labels": ["severity": .string(severity.rawValue)],
        ]
    }
}
