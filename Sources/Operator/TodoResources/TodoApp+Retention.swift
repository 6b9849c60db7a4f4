internal import StructuredData

extension TodoApp {
    /// How long what nobody needs any more is kept.
    public struct Retention: Sendable, Equatable, Codable {
        /// Whole days, such as `400d`.
        public var audit: String
        public var bin: String

        public var auditDays: Int { Self.days(audit) }
        public var binDays: Int { Self.days(bin) }

        /// Of what the schema has let through.
        private static func days(_ text: String) -> Int { Int(text.dropLast()) ?? 0 }

        static let standard = Retention(audit: "400d", bin: "30d")
    }

    /// What becomes of what cannot be made again when the object is deleted.
    public enum DeletionPolicy: String, Sendable, Codable, CaseIterable {
        case delete = "Delete"
        case retain = "Retain"

        static let schema = SchemaBuilder.choice(
            """
            What becomes of the Kafka and the generated Secrets when this object is deleted. Delete: they go, and with the \
            Kafka its volumes. Retain: Kafka, KafkaNodePools and KafkaTopics stay with their volumes, and so do the Secrets of \
            the present secretRotation; a TodoApp of the same name takes them up again. The services go in both cases, the database and the keys of \
            the audit log in none. A change takes effect when the operator has acted on it, not while suspended. Nothing \
            can be kept in a namespace that is deleted.
            """, DeletionPolicy.self
        ).defaulting(to: .string(DeletionPolicy.delete.rawValue))
    }
}

extension TodoApp.Retention {
    static var schema: SchemaBuilder {
        .object(
            "How long what nobody needs any more is kept. What is older is removed once a day, by night in UTC.",
            [
                "audit": days(
                    """
                    How long entries of the audit log are kept, in whole days such as 400d. What is left can be verified \
                    from a signed checkpoint on.
                    """, 30...3650, standard.audit),
                "bin": days(
                    """
                    How long deleted tasks, projects and filters can be restored, in whole days such as 30d; then they are \
                    purged for good.
                    """, 1...3650, standard.bin),
            ]
        ).defaulting(to: [:])
    }

    private static func days(_ description: String, _ range: ClosedRange<Int>, _ usual: String) -> SchemaBuilder {
        let count = "int(self.substring(0, size(self) - 1))"
        return .string(description, length: 2...5).rule(
            "self.matches('^[1-9][0-9]{0,3}d$') && \(count) >= \(range.lowerBound) && \(count) <= \(range.upperBound)",
            "must be whole days, from \(range.lowerBound)d to \(range.upperBound)d"
        ).defaulting(to: .string(usual))
    }
}
