internal import KubernetesSchema
internal import StructuredData

extension CustomResourceDefinition {
    /// The faults of a decoded and defaulted definition, as apiextensions' `validation` words them.
    func validate(old: CustomResourceDefinition?) -> [FieldError] {
        var faults = Faults()
        if name != "\(plural).\(group)" {
            faults.invalid("metadata.name", .string(name), "must be spec.names.plural+\".\"+spec.group")
        }
        validateGroup(&faults)
        faults.oneOf("spec.scope", json.at("spec", "scope"), ["Cluster", "Namespaced"])
        if json.at("spec", "preserveUnknownFields")?.bool == true {
            faults.invalid(
                "spec.preserveUnknownFields", true, "must be false in order to use defaults in the schema")
        }
        validateNames(&faults)
        validateVersions(&faults)
        validateConversion(&faults)
        if let old { validateUpdate(old, &faults) }
        return faults.errors
    }

    private func validateGroup(_ faults: inout Faults) {
        if group.isEmpty {
            faults.required("spec.group")
        } else if !Validators.dnsSubdomain(group).isEmpty {
            faults.invalid("spec.group", .string(group), Validators.dnsSubdomain(group))
        } else if !group.contains(".") {
            faults.invalid("spec.group", .string(group), "should be a domain with at least one dot")
        }
        guard isInProtectedGroup else { return }
        let approval = json.at("metadata", "annotations", "api-approved.kubernetes.io").text
        let field = "metadata.annotations[api-approved.kubernetes.io]"
        if approval.isEmpty {
            faults.required(
                field,
                "protected groups must have approval annotation \"api-approved.kubernetes.io\", "
                    + "see https://github.com/kubernetes/enhancements/pull/1111")
        } else if !approval.hasPrefix("unapproved") && !approval.contains("://") {
            faults.invalid(
                field, .string(approval),
                "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a "
                    + "reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111")
        }
    }

    private func validateNames(_ faults: inout Faults) {
        for key in ["plural", "singular", "kind", "listKind"] {
            let value = names[key].text
            let field = "spec.names.\(key)"
            if value.isEmpty {
                faults.required(field)
                continue
            }
            let isKind = key == "kind" || key == "listKind"
            let messages = Validators.dns1035Label(isKind ? value.lowercased() : value)
            faults.invalid(
                field, .string(value),
                isKind ? messages.map { "may have mixed case, but should otherwise match: \($0)" } : messages)
        }
        for list in ["shortNames", "categories"] {
            for (index, name) in names[list].elements.enumerated() {
                faults.invalid("spec.names.\(list)[\(index)]", name, Validators.dns1035Label(name.string ?? ""))
            }
        }
        if !kind.isEmpty, kind == listKind {
            faults.invalid("spec.names.listKind", .string(listKind), "kind and listKind may not be the same")
        }
    }

    private func validateVersions(_ faults: inout Faults) {
        if versions.isEmpty {
            faults.required("spec.versions", "must have at least one version")
            return
        }
        if versions.count(where: { $0["storage"]?.bool == true }) != 1 {
            faults.invalid(
                "spec.versions", .array(versions.map { $0["name"] ?? .null }),
                "must have exactly one version marked as storage version")
        }
        if Set(versions.map { $0["name"].text }).count != versions.count {
            faults.invalid(
                "spec.versions", .array(versions.map { $0["name"] ?? .null }), "must contain unique version names")
        }
        for (index, version) in versions.enumerated() { validateVersion(version, index, &faults) }
    }

    private func validateVersion(_ version: JSON, _ index: Int, _ faults: inout Faults) {
        let field = "spec.versions[\(index)]"
        faults.invalid("\(field).name", version["name"], Validators.dns1035Label(version["name"].text))
        if let schema = version.at("schema", "openAPIV3Schema") {
            do throws(StructuralSchemaErrors) {
                _ = try StructuralSchema.compile(schema, field: schemaField(index))
            } catch { faults.add(error.errors) }
        } else {
            faults.required(schemaField(index), "schemas are required")
        }
        if let scale = version.at("subresources", "scale") {
            validateScale(scale, "\(field).subresources.scale", &faults)
        }
        for (place, column) in version["additionalPrinterColumns"].elements.enumerated() {
            validateColumn(column, "\(field).additionalPrinterColumns[\(place)]", &faults)
        }
        validateSelectableFields(version, field, &faults)
    }

    private func validateScale(_ scale: JSON, _ field: String, _ faults: inout Faults) {
        for (key, roots) in [
            ("specReplicasPath", ["spec"]), ("statusReplicasPath", ["status"]),
            ("labelSelectorPath", ["status", "spec"]),
        ] {
            let path = scale[key].text
            if path.isEmpty {
                if key != "labelSelectorPath" { faults.required("\(field).\(key)") }
            } else if Self.simplePath(scale[key]) == nil {
                faults.invalid("\(field).\(key)", scale[key], "must be a simple json path starting with .")
            } else if !roots.contains(where: { path.hasPrefix(".\($0).") }) {
                faults.invalid(
                    "\(field).\(key)", scale[key],
                    "should be a json path under \(roots.map { ".\($0)" }.joined(separator: " or "))")
            }
        }
    }

    private func validateColumn(_ column: JSON, _ field: String, _ faults: inout Faults) {
        if column["name"].isEmptyValue { faults.required("\(field).name") }
        let types = ["integer", "number", "string", "boolean", "date"]
        if column["type"].isEmptyValue {
            faults.required("\(field).type", "must be one of \(types.sorted().joined(separator: ","))")
        } else if !types.contains(column["type"].text) {
            faults.invalid("\(field).type", column["type"], "must be one of \(types.sorted().joined(separator: ","))")
        }
        let formats = ["int32", "int64", "float", "double", "byte", "date", "date-time", "password"]
        if !column["format"].isEmptyValue, !formats.contains(column["format"].text) {
            faults.invalid(
                "\(field).format", column["format"], "must be one of \(formats.sorted().joined(separator: ","))")
        }
        let path = column["jsonPath"].text
        if path.isEmpty {
            faults.required("\(field).jsonPath")
        } else if path.first != "." {
            faults.invalid("\(field).jsonPath", column["jsonPath"], "must be a simple json path starting with .")
        } else if JSONPathExpression(path) == nil {
            faults.invalid("\(field).jsonPath", column["jsonPath"], "must be a json path in the dot notation")
        }
    }

    private func validateSelectableFields(_ version: JSON, _ field: String, _ faults: inout Faults) {
        let fields = version["selectableFields"].elements
        if fields.count > 8 {
            faults.invalid("\(field).selectableFields", JSON(fields.count), "must have at most 8 items")
        }
        for (index, selectable) in fields.enumerated() {
            let place = "\(field).selectableFields[\(index)].jsonPath"
            guard let steps = Self.simplePath(selectable["jsonPath"]), let root = steps.first else {
                faults.invalid(place, selectable["jsonPath"], "must be a simple json path starting with .")
                continue
            }
            if root == "metadata" || root == "apiVersion" || root == "kind" {
                faults.invalid(place, selectable["jsonPath"], "must not point to fields in metadata")
            }
        }
    }

    private func validateConversion(_ faults: inout Faults) {
        faults.oneOf("spec.conversion.strategy", json.at("spec", "conversion", "strategy"), ["None", "Webhook"])
        if needsWebhook, json.at("spec", "conversion", "webhook", "conversionReviewVersions").isEmptyValue {
            faults.required("spec.conversion.webhook.conversionReviewVersions")
        }
    }

    private func validateUpdate(_ old: CustomResourceDefinition, _ faults: inout Faults) {
        faults.immutable("spec.group", new: json.at("spec", "group"), old: old.json.at("spec", "group"))
        faults.immutable("spec.names.plural", new: names["plural"], old: old.names["plural"])
        if old.isEstablished {
            faults.immutable("spec.scope", new: json.at("spec", "scope"), old: old.json.at("spec", "scope"))
            faults.immutable("spec.names.kind", new: names["kind"], old: old.names["kind"])
        }
        let known = Set(versions.map { $0["name"].text })
        for (index, stored) in json.at("status", "storedVersions").elements.enumerated()
        where !known.contains(stored.string ?? "") {
            faults.invalid("status.storedVersions[\(index)]", stored, "must appear in spec.versions")
        }
    }
}
