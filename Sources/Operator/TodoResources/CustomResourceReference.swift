internal import StructuredData

/// The page that tells every field of our kinds, made from the schemas that the API server checks them by.
public enum CustomResourceReference {
    /// An article of DocC.
    public static var markdown: String {
        let kinds = CustomResourceDefinitions.all.map(kind)
        return """
            # Custom resources

            Every field of the kinds of `\(TodoGroup.name)/\(TodoGroup.version)`.

            ## Overview

            Made from the schemas by `make manifests`. `kubectl explain` shows the same.

            \(kinds.joined(separator: "\n"))
            """
    }

    private static func kind(_ definition: JSON) -> String {
        let names = definition.at("spec", "names")
        let version = definition.at("spec", "versions")?[0]
        guard let schema = version?.at("schema", "openAPIV3Schema") else { return "" }
        let shortNames = names?["shortNames"]?.array?.compactMap(\.string).map { "`\($0)`" } ?? []
        var lines = [
            "## \(names?["kind"]?.string ?? "")", "",
            "\(schema["description"]?.string ?? "") In kubectl `\(names?["plural"]?.string ?? "")`, for short "
                + "\(shortNames.joined(separator: ", ")).",
            "",
        ]
        for part in ["spec", "status"] {
            guard let top = schema.at("properties", part) else { continue }
            lines += ["### \(part)", "", "| field | type | default | what it does |", "| --- | --- | --- | --- |"]
            lines += rows(of: top, path: part) + [""]
        }
        return lines.joined(separator: "\n")
    }

    /// One row for each field below `schema`, depth first.
    private static func rows(of schema: JSON, path: String) -> [String] {
        let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
        return (schema["properties"]?.object ?? [:]).flatMap { name, field -> [String] in
            let path = "\(path).\(name)"
            let value = required.contains(name) ? "required" : field["default"].map { "`\($0.text)`" } ?? ""
            let about = ([field["description"]?.string] + limits(of: field)).compactMap(\.self)
            let row = [
                "`\(path)`", type(of: field), value, about.joined(separator: " "),
            ].map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")
            let inner = field["items"] ?? field["additionalProperties"]
            let below = rows(of: field, path: path) + (inner.map { rows(of: $0, path: "\(path)[]") } ?? [])
            return ["| \(row) |"] + below
        }
    }

    private static func type(of field: JSON) -> String {
        if field["x-kubernetes-int-or-string"]?.bool == true { return "quantity" }
        let type = field["format"]?.string ?? field["type"]?.string ?? ""
        if let items = field["items"] { return "list of \(Self.type(of: items))" }
        if let values = field["additionalProperties"] { return "map of \(Self.type(of: values))" }
        return type
    }

    private static func limits(of field: JSON) -> [String?] {
        [
            (field["enum"] ?? field.at("items", "enum"))?.array.map { values in
                "One of \(values.compactMap(\.string).map { "`\($0)`" }.joined(separator: ", "))."
            },
            bounds(field["minimum"], field["maximum"]).map { "\($0)." },
        ] + (field["x-kubernetes-validations"]?.array ?? []).map { $0["message"]?.string.map { "Rule: \($0)." } }
    }

    private static func bounds(_ low: JSON?, _ high: JSON?) -> String? {
        switch (low?.int, high?.int) {
        case (let low?, let high?): "\(low) to \(high)"
        case (let low?, nil): "At least \(low)"
        case (nil, let high?): "At most \(high)"
        case (nil, nil): nil
        }
    }
}
