public import KubernetesClient
public import StructuredData

/// Our API group and kinds.
public enum TodoGroup {
    public static let name = "todo-operator.dev"
    public static let version = "v1alpha1"

    public static let todoApp = ResourceType(group: name, version: version, kind: "TodoApp", plural: "todoapps")
    public static let reminderSchedule = ResourceType(
        group: name, version: version, kind: "ReminderSchedule", plural: "reminderschedules")
    public static let kafkaTopicBinding = ResourceType(
        group: name, version: version, kind: "KafkaTopicBinding", plural: "kafkatopicbindings")
}

/// The CustomResourceDefinitions of our kinds, made from the schemas beside the types.
public enum CustomResourceDefinitions {
    public static var all: [JSON] { [todoApp, kafkaTopicBinding, reminderSchedule] }

    public static var todoApp: JSON {
        definition(
            of: TodoGroup.todoApp, shortName: "tda", schema: TodoApp.schema,
            columns: [
                ("Ready", "string", #".status.conditions[?(@.type=="Ready")].status"#, "Whether everything is up.", 0),
                ("Version", "string", ".status.version", "The version that runs.", 0),
                ("URL", "string", ".status.url", "Where the HTTP API is reached.", 0),
                ("Age", "date", ".metadata.creationTimestamp", "Since when it exists.", 0),
            ] + why)
    }

    public static var kafkaTopicBinding: JSON {
        definition(
            of: TodoGroup.kafkaTopicBinding, shortName: "ktb", schema: KafkaTopicBinding.schema,
            columns: [
                ("App", "string", ".spec.appRef.name", "The installation whose topic it is.", 0),
                ("Topic", "string", ".spec.topic", "The topic.", 0),
                ("Partitions", "integer", ".spec.partitions", "How many parts it is to have.", 0),
                ("Ready", "string", #".status.conditions[?(@.type=="Ready")].status"#, "Whether it is as declared.", 0),
                ("Age", "date", ".metadata.creationTimestamp", "Since when it exists.", 0),
            ] + why)
    }

    /// What every kind shows with `-o wide`.
    private static let why: [Column] = [
        ("Reason", "string", #".status.conditions[?(@.type=="Ready")].reason"#, "Why it is or is not ready.", 1),
        (
            "Message", "string", #".status.conditions[?(@.type=="Ready")].message"#, "What is missing and what to do.",
            1
        ),
    ]

    private typealias Column = (name: String, type: String, path: String, description: String, priority: Int)

    public static var reminderSchedule: JSON {
        definition(
            of: TodoGroup.reminderSchedule, shortName: "rms", schema: ReminderSchedule.schema,
            columns: [
                ("App", "string", ".spec.appRef.name", "The installation whose tasks it is about.", 0),
                ("Ready", "string", #".status.conditions[?(@.type=="Ready")].status"#, "Whether reminders fire.", 0),
                ("Next", "string", ".status.nextFireTime", "When the next reminder fires.", 0),
                ("Planned", "integer", ".status.planned", "How many reminders wait.", 0),
                ("Fired", "integer", ".status.fired", "How many reminders fired.", 0),
                ("Failed", "integer", ".status.failed", "How many webhooks and e-mails were given up.", 0),
                ("Age", "date", ".metadata.creationTimestamp", "Since when it exists.", 0),
            ] + why)
    }

    private static func definition(
        of type: ResourceType, shortName: String, schema: SchemaBuilder,
        columns: [Column]
    ) -> JSON {
        let printed = columns.map { column -> JSON in
            var json: JSON = [
                "description": .string(column.description), "jsonPath": .string(column.path),
                "name": .string(column.name), "type": .string(column.type),
            ]
            if column.priority > 0 { json["priority"] = JSON(column.priority) }
            return json
        }
        let version: JSON = [
            "additionalPrinterColumns": .array(printed),
            "name": .string(type.version),
            "schema": ["openAPIV3Schema": schema.json],
            "served": true,
            "storage": true,
            "subresources": ["status": [:]],
        ]
        let singular = type.kind.lowercased()
        return [
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(type.plural).\(type.group)")],
            "spec": [
                "group": .string(type.group),
                "names": [
                    "categories": ["todo"], "kind": .string(type.kind), "listKind": .string("\(type.kind)List"),
                    "plural": .string(type.plural), "shortNames": [.string(shortName)], "singular": .string(singular),
                ],
                "scope": "Namespaced",
                "versions": [version],
            ],
        ]
    }
}
