internal import StructuredData

extension TodoApp {
    /// What the Prometheus operator is told about the installation.
    public struct Monitoring: Sendable, Equatable, Codable {
        public var serviceMonitor: MonitoringMode
        public var podMonitor: MonitoringMode
        public var prometheusRule: MonitoringMode
        public var labels: [String: String]?
        public var interval: String

        /// Whether anything is asked for.
        public var isEnabled: Bool { [serviceMonitor, podMonitor, prometheusRule].contains(.enabled) }
    }

    public enum MonitoringMode: String, Sendable, Codable, CaseIterable {
        case enabled = "Enabled"
        case disabled = "Disabled"
    }
}

extension TodoApp.Monitoring {
    static var schema: SchemaBuilder {
        .object(
            "What the Prometheus operator is told about the installation.",
            [
                "serviceMonitor": .choice(
                    """
                    Enabled: a ServiceMonitor has the services scraped, and a PodMonitor the pods of dedicated workers. Their \
                    series have the labels namespace and app.
                    """, TodoApp.MonitoringMode.self
                ).defaulting(to: "Disabled"),
                "podMonitor": .choice(
                    "Enabled: a PodMonitor has the Dapr sidecars scraped.", TodoApp.MonitoringMode.self
                ).defaulting(to: "Disabled"),
                "prometheusRule": .choice(
                    "Enabled: a PrometheusRule has the alerts of the installation.", TodoApp.MonitoringMode.self
                ).defaulting(to: "Disabled"),
                "labels": .map(
                    "Labels of these objects, by which a Prometheus selects them.", of: .string("The value of a label.")
                ),
                "interval": .string(
                    "How often is scraped.", form: .interval, length: 2...10
                ).defaulting(to: "30s"),
            ]
        )
        .rule(
            "self.prometheusRule == 'Disabled' || self.serviceMonitor == 'Enabled'",
            "monitoring.prometheusRule needs monitoring.serviceMonitor: the alerts are about its series"
        )
        .defaulting(to: [:])
    }
}
