internal import KubernetesSchema
internal import StructuredData

/// CustomResourceDefinitions themselves.
struct DefinitionStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }
    var allowsUnconditionalUpdate: Bool { false }

    func applyDefaults(_ object: inout JSON) {
        object.with("spec") { spec in
            spec.withObject("names") { names in
                let kind = names["kind"].text
                guard !kind.isEmpty else { return }
                names.setDefault("singular", .string(kind.lowercased()))
                names.setDefault("listKind", .string(kind + "List"))
            }
            spec.withObject("conversion") { $0.setDefault("strategy", "None") }
        }
    }

    func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError] {
        object["status"] = nil
        object = CustomResourceDefinition.addingStoredVersion(to: object)
        return []
    }

    func prepareForUpdate(
        _ object: inout JSON, old: JSON, subresource: String?, context: WriteContext
    ) -> [FieldError] {
        if subresource == nil { object = CustomResourceDefinition.addingStoredVersion(to: object) }
        return []
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        return CustomResourceDefinition(object).validate(old: old.map { CustomResourceDefinition($0) })
    }

    func warnings(_ object: JSON, old: JSON?) -> [String] {
        let definition = CustomResourceDefinition(object)
        let served = definition.versions.filter { $0["served"]?.bool == true }
        guard definition.needsWebhook, served.count > 1 else { return [] }
        return [
            "spec.conversion.strategy: conversion webhooks are not called by this server: only the storage version "
                + "\(definition.storageVersionName ?? "") is served"
        ]
    }
}
