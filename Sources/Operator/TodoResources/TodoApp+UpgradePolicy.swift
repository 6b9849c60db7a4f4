internal import StructuredData

extension TodoApp {
    /// How a change of pod templates reaches the services.
    public enum UpgradePolicy: String, Sendable, Codable, CaseIterable {
        case paced = "Paced"
        case parallel = "Parallel"

        static var schema: SchemaBuilder {
            .choice(
                """
                How a change of the pods reaches the services. Paced: one service after the other, in the order api, \
                audit, notification, realtime, workers, each once the one before it is rolled out; one that fails stops \
                the line. Parallel: all at once. A change that replaces no pods, such as a number of replicas, and a \
                service without a ready pod do not wait; a service that waits keeps all of its old Deployment, its \
                replicas too.
                """, Self.self
            ).defaulting(to: "Paced")
        }
    }
}
