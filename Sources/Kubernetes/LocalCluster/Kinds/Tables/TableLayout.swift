internal import KubernetesSchema
internal import StructuredData

/// How one kind is printed: its columns, and the cells of an object.
struct TableLayout: Sendable {
    let columns: [TableColumn]
    /// `now` is in seconds since 1970.
    let cells: @Sendable (_ object: JSON, _ now: Int) -> [JSON]
    /// Row conditions, by which kubectl hides pods that are done.
    var conditions: @Sendable (JSON) -> [JSON] = { _ in [] }
}

/// A column of a table; the description of an API field is taken from the published definitions.
struct TableColumn: Sendable {
    let name: String
    let type: String
    let format: String
    let priority: Int
    private let text: String
    private let field: (definition: String, property: String)?

    init(_ name: String, type: String = "string", format: String = "", priority: Int = 0, _ text: String = "") {
        self.name = name
        self.type = type
        self.format = format
        self.priority = priority
        self.text = text
        field = nil
    }

    /// A column that shows `property` of a definition such as `core.v1.PodStatus`.
    init(
        _ name: String, type: String = "string", format: String = "", priority: Int = 0, of definition: String,
        _ property: String
    ) {
        self.name = name
        self.type = type
        self.format = format
        self.priority = priority
        text = ""
        field = ("io.k8s.\(definition)", property)
    }

    static let name = TableColumn("Name", format: "name", of: "apimachinery.pkg.apis.meta.v1.ObjectMeta", "name")
    static let age = TableColumn("Age", of: "apimachinery.pkg.apis.meta.v1.ObjectMeta", "creationTimestamp")
    static let createdAt = TableColumn(
        "Created At", type: "date", of: "apimachinery.pkg.apis.meta.v1.ObjectMeta", "creationTimestamp")

    /// The wide columns of kinds with a pod template.
    static let containers = [
        TableColumn("Containers", priority: 1, "Names of each container in the template."),
        TableColumn("Images", priority: 1, "Images referenced by each container in the template."),
    ]

    var json: JSON {
        [
            "name": .string(name), "type": .string(type), "format": .string(format),
            "description": .string(description), "priority": JSON(priority),
        ]
    }

    private var description: String {
        guard let field else { return text }
        return FieldDescriptions.of(field.definition, field.property)
    }
}

/// The descriptions of fields in the published definitions.
enum FieldDescriptions {
    static func of(_ definition: String, _ property: String) -> String {
        guard let text = BuiltinDefinitions.shared.definitionText(definition), let json = try? JSON(parsing: text)
        else { return "" }
        return json.at("properties", property, "description").text
    }
}
