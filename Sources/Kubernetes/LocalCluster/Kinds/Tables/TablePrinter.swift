internal import Concurrency
internal import KubernetesClient
public import StructuredData

/// Prints objects as kube-apiserver does for `Accept: application/json;as=Table;v=v1;g=meta.k8s.io`.
public enum TablePrinter {
    /// What each row's `object` holds (query `includeObject`).
    public enum IncludeObject: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    /// A `meta.k8s.io/v1` `Table`.
    ///
    /// - Parameters:
    ///   - metadata: the list's `metadata` (resourceVersion, continue, remainingItemCount), or for one object its
    ///     resourceVersion.
    ///   - now: seconds since 1970, for ages.
    ///   - withColumns: false for every event of a watch but the first, which alone carries the column definitions.
    ///   - version: of `meta.k8s.io`, as the client asked for: `v1` or `v1beta1`.
    public static func table(
        _ resource: ServedResource, objects: [JSON], metadata: JSON = .object(JSONObject()),
        include: IncludeObject = .metadata, now: Int, withColumns: Bool = true, version: String = "v1"
    ) -> JSON {
        let layout = layout(of: resource)
        let apiVersion: JSON = .string("meta.k8s.io/\(version)")
        let rows = objects.map { object -> JSON in
            var row: JSON = ["cells": .array(layout.cells(object, now))]
            let conditions = layout.conditions(object)
            if !conditions.isEmpty { row["conditions"] = .array(conditions) }
            row["object"] = rowObject(object, include, apiVersion)
            return row
        }
        return [
            "kind": "Table", "apiVersion": apiVersion, "metadata": metadata,
            "columnDefinitions": withColumns ? definitions(of: resource, layout) : .null, "rows": .array(rows),
        ]
    }

    private static func rowObject(_ object: JSON, _ include: IncludeObject, _ apiVersion: JSON) -> JSON {
        switch include {
        case .none: .null
        case .metadata: partial(object, apiVersion)
        case .object: object
        }
    }

    /// `object` as `PartialObjectMetadata`.
    static func partial(_ object: JSON, _ apiVersion: JSON) -> JSON {
        ["kind": "PartialObjectMetadata", "apiVersion": apiVersion, "metadata": object["metadata"] ?? [:]]
    }

    static func layout(of resource: ServedResource) -> TableLayout {
        if resource.isCustom { return CustomTable.layout(resource.columns) }
        return BuiltinTables.layouts["\(resource.type.group)/\(resource.type.plural)"] ?? BuiltinTables.plain
    }

    /// The definitions of built-in kinds are looked up in the published documents once.
    private static let known = Lock<[String: JSON]>([:])

    private static func definitions(of resource: ServedResource, _ layout: TableLayout) -> JSON {
        func make() -> JSON { .array(layout.columns.map(\.json)) }
        guard resource.isBuiltin else { return make() }
        let key = resource.type.path()
        if let definitions = known.withLock({ $0[key] }) { return definitions }
        let definitions = make()
        known.withLock { $0[key] = definitions }
        return definitions
    }
}
