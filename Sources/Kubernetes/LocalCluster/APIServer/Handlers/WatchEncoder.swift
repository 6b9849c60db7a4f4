internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

/// Turns what happened in the store into the lines of one watch.
struct WatchEncoder: Sendable {
    enum EventType: String, Sendable {
        case added = "ADDED"
        case modified = "MODIFIED"
        case deleted = "DELETED"
    }

    let resource: ServedResource
    let selection: Selection
    let form: Accept.Form
    let include: TablePrinter.IncludeObject
    let now: @Sendable () -> Int
    /// The first table of a watch alone carries the column definitions.
    private var hasSentColumns = false

    init(
        resource: ServedResource, selection: Selection, form: Accept.Form, include: TablePrinter.IncludeObject,
        now: @escaping @Sendable () -> Int
    ) {
        self.resource = resource
        self.selection = selection
        self.form = form
        self.include = include
        self.now = now
    }

    private var isVerbatim: Bool { form == .object && !resource.needsConversion }

    mutating func writeAdded(_ object: StoredObject, into bytes: inout [UInt8]) {
        guard selection.includes(object) else { return }
        write(.added, object.bytes, into: &bytes)
    }

    /// An object that stops being selected is deleted for this watch, with the state that it last had there.
    mutating func write(_ event: StoreEvent, into bytes: inout [UInt8]) {
        let isSelected = event.object.map(selection.includes) ?? false
        let wasSelected = event.previous.map(selection.includes) ?? false
        switch (wasSelected, isSelected) {
        case (false, false): break
        case (false, true): write(.added, event.object?.bytes ?? [], into: &bytes)
        case (true, true): write(.modified, event.object?.bytes ?? [], into: &bytes)
        case (true, false):
            write(.deleted, event.previous?.bytes(atRevision: event.revision) ?? [], into: &bytes)
        }
    }

    private mutating func write(_ type: EventType, _ object: [UInt8], into bytes: inout [UInt8]) {
        bytes.append(contentsOf: #"{"type":"\#(type.rawValue)","object":"#.utf8)
        if isVerbatim {
            bytes.append(contentsOf: object)
        } else if let stored = try? JSON(parsing: object) {
            shown(resource.needsConversion ? resource.fromStorage(stored) : stored).write(into: &bytes)
        } else {
            bytes.append(contentsOf: object)
        }
        bytes.append(contentsOf: "}\n".utf8)
    }

    private mutating func shown(_ object: JSON) -> JSON {
        switch form {
        case .object: return object
        case .metadata(let version):
            return [
                "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": object["metadata"] ?? [:],
            ]
        case .table(let version):
            defer { hasSentColumns = true }
            return TablePrinter.table(
                resource, objects: [object],
                metadata: ["resourceVersion": object.at("metadata", "resourceVersion") ?? ""], include: include,
                now: now(), withColumns: !hasSentColumns, version: version)
        }
    }

    func writeBookmark(_ revision: UInt64, endsInitialEvents: Bool = false, into bytes: inout [UInt8]) {
        var metadata: JSON = ["resourceVersion": .string(String(revision)), "creationTimestamp": nil]
        if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        var object: JSON = ["kind": .string(resource.type.kind), "apiVersion": .string(resource.type.apiVersion)]
        switch form {
        case .object: break
        case .metadata(let version):
            object = ["kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)")]
        case .table(let version):
            object = ["kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "rows": []]
        }
        object["metadata"] = metadata
        Self.line("BOOKMARK", object).write(into: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    static func errorLine(_ error: StatusError) -> [UInt8] {
        line("ERROR", error.json).encoded() + [UInt8(ascii: "\n")]
    }

    private static func line(_ type: String, _ object: JSON) -> JSON { ["type": .string(type), "object": object] }
}
