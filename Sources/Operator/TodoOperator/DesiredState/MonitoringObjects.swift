internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// What the Prometheus operator is told about an app. The series of every pod have the labels `namespace`, which it adds,
/// and `app`: by these two the operator's own alerts about reminders tell apps apart too.
struct MonitoringObjects {
    private let app: TodoApp
    private let names: AppNames
    private var monitoring: TodoApp.Monitoring { app.spec.monitoring }

    init(_ app: TodoApp) {
        self.app = app
        names = AppNames(app)
    }

    /// In the order in which they are applied, with the kind of each.
    var all: [(type: ResourceType, object: JSON)] {
        var objects: [(ResourceType, JSON)] = []
        if monitoring.serviceMonitor == .enabled {
            objects.append((DesiredState.serviceMonitorType, object(DesiredState.serviceMonitorType, services)))
            if app.services.contains(.workers) {
                // Nobody calls them, so they have no Service.
                let spec = pods(of: [.workers], port: "http")
                objects.append((DesiredState.podMonitorType, object(DesiredState.podMonitorType, spec, "workers")))
            }
        }
        if monitoring.podMonitor == .enabled {
            let spec = pods(of: app.services.filter { $0 != .workers }, port: "dapr-metrics")
            objects.append((DesiredState.podMonitorType, object(DesiredState.podMonitorType, spec, "sidecars")))
        }
        if monitoring.prometheusRule == .enabled {
            let groups: JSON = [
                "groups": [
                    [
                        "name": .string("\(names.namespace)/\(names.app)"),
                        "rules": .array(AppAlerts(names).all.map(\.json)),
                    ]
                ]
            ]
            objects.append((DesiredState.prometheusRuleType, object(DesiredState.prometheusRuleType, groups)))
        }
        return objects
    }

    private func object(_ type: ResourceType, _ spec: JSON, _ part: String = "services") -> JSON {
        var metadata = DesiredState.metadata(of: app, name: "\(names.app)-\(part)", component: "monitoring")
        for (key, value) in (monitoring.labels ?? [:]).sorted(by: { $0.key < $1.key })
        where metadata.at("labels", key) == nil {
            metadata.set(.string(value), at: "labels", key)
        }
        return [
            "apiVersion": .string(type.apiVersion), "kind": .string(type.kind), "metadata": metadata, "spec": spec,
        ]
    }

    private var services: JSON {
        ["endpoints": [endpoint("http", from: "service")], "selector": ["matchLabels": ownLabels]]
    }

    private func pods(of services: [TodoApp.ServiceName], port: String) -> JSON {
        let chosen: JSON = [
            "key": .string(Label.component), "operator": "In", "values": .array(services.map { .string($0.rawValue) }),
        ]
        return [
            "podMetricsEndpoints": [endpoint(port, from: "pod")],
            "selector": ["matchExpressions": [chosen], "matchLabels": ownLabels],
        ]
    }

    private var ownLabels: JSON { [Label.instance: .string(names.app), Label.name: "todo"] }

    private func endpoint(_ port: String, from object: String) -> JSON {
        [
            "interval": .string(monitoring.interval), "path": "/metrics", "port": .string(port),
            "relabelings": [
                [
                    "action": "replace",
                    "sourceLabels": ["__meta_kubernetes_\(object)_label_app_kubernetes_io_instance"],
                    "targetLabel": "app",
                ]
            ],
        ]
    }
}

/// When to wake somebody about one app; what its workers have to be asked for is among the operator's own alerts.
private struct AppAlerts {
    private let series: String
    private let place: String

    init(_ names: AppNames) {
        series = #"namespace="\#(names.namespace)",app="\#(names.app)""#
        place = "\(names.namespace)/\(names.app)"
    }

    var all: [Alert] { [errors, unpublished, dead, checkpoint] }

    private var errors: Alert {
        Alert(
            "TodoAPIErrors", .warning, after: "10m",
            when: """
                sum(rate(http_server_request_duration_seconds_count{\(series),status=~"5.."}[5m]))
                  / sum(rate(http_server_request_duration_seconds_count{\(series)}[5m])) > 0.05
                """,
            summary: "The API of \(place) fails",
            description: "{{ $value | humanizePercentage }} of the requests end in 5xx. See its log and its database.")
    }

    private var unpublished: Alert {
        Alert(
            "TodoEventsNotPublished", .critical, after: "5m",
            when: """
                sum(increase(todo_outbox_failures_total{\(series)}[5m])) > 5
                  and sum(increase(todo_outbox_published_total{\(series)}[5m])) == 0
                  or max(todo_outbox_held{\(series)}) > 0
                """,
            summary: "Events of \(place) do not go out",
            description:
                "They wait in its database; nothing is lost, and nobody is told of changes. See the Dapr sidecar of the "
                + "API, and Kafka.")
    }

    private var dead: Alert {
        Alert(
            "TodoDeliveriesDead", .warning, after: "0m",
            when: "sum(increase(todo_deliveries_dead_total{\(series)}[30m])) > 0",
            summary: "Reminders of \(place) could not be delivered",
            description:
                "{{ $value }} were given up within half an hour. The log of its notification service says why.")
    }

    /// Nothing is signed anew where nothing was added: so the newest checkpoint is only too old if it is older than what
    /// was.
    private var checkpoint: Alert {
        Alert(
            "TodoAuditNotSigned", .critical, after: "5m",
            when: """
                time() - max(audit_newest_checkpoint_timestamp_seconds{\(series)}) > 2400
                  and sum(increase(audit_entries_appended_total{\(series)}[30m] offset 5m)) > 0
                """,
            summary: "The audit log of \(place) is not signed",
            description:
                "The newest checkpoint is {{ $value | humanizeDuration }} old: what came since could be changed unseen. "
                + "See the log of its audit service.")
    }
}

extension DesiredState {
    /// The Prometheus operator's, which a cluster need not have.
    static let monitoringTypes = [serviceMonitorType, podMonitorType, prometheusRuleType]

    static let serviceMonitorType = ResourceType(
        group: "monitoring.coreos.com", version: "v1", kind: "ServiceMonitor", plural: "servicemonitors")
    static let podMonitorType = ResourceType(
        group: "monitoring.coreos.com", version: "v1", kind: "PodMonitor", plural: "podmonitors")
    static let prometheusRuleType = ResourceType(
        group: "monitoring.coreos.com", version: "v1", kind: "PrometheusRule", plural: "prometheusrules")
}
