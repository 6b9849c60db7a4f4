public import StructuredData

/// Server-side apply (kubernetes.io/docs/reference/using-api/server-side-apply), as structured-merge-diff does it.
public enum ServerSideApply {
    /// The object that results from applying `config` to `live` (nil: there is none yet), managedFields included.
    ///
    /// What the applier owned and no longer states goes, unless others own it too. An apply that changes nothing gives
    /// `live` itself, times in managedFields included.
    /// - Parameters:
    ///   - manager: the field manager; never empty.
    ///   - force: take over fields that other managers own with another value.
    ///   - subresource: `status` or nil.
    ///   - resetFields: paths that this writer cannot change and so never owns; see `ManagedFields.recordUpdate`.
    ///   - time: now, as RFC 3339 with seconds; used for the managedFields entry when the object changes.
    public static func apply(
        config: JSON, live: JSON?, manager: String, force: Bool, subresource: String?, apiVersion: String,
        schema: Schema, resetFields: [[String]] = [], time: String
    ) throws(ApplyError) -> JSON {
        let application = try Application(
            config: config, live: live,
            id: ManagerID(
                name: manager, isApply: true, subresource: subresource, apiVersion: apiVersion),
            apiVersion: apiVersion, schema: schema, resetFields: FieldSet(paths: resetFields), time: time)
        do {
            return try application.result(force: force)
        } catch .conflicts(let conflicts) where manager == LastApplied.applier {
            // kubectl's client-side apply left its configuration in an annotation: what it says is kubectl's own.
            let own = application.lastAppliedPaths
            guard !own.isEmpty else { throw .conflicts(conflicts) }
            let others = conflicts.filter { !own.contains($0.field) }
            guard others.isEmpty else { throw .conflicts(others) }
            return try application.result(force: true)
        }
    }
}

/// One apply request.
private struct Application {
    let config: JSON
    let live: JSON?
    let id: ManagerID
    let apiVersion: String
    let resetFields: FieldSet
    let time: String
    let type: MergeType
    let managers: ManagerRecords

    init(
        config: JSON, live: JSON?, id: ManagerID, apiVersion: String, schema: Schema, resetFields: FieldSet,
        time: String
    ) throws(ApplyError) {
        let version = config["apiVersion"]?.string ?? ""
        guard version == apiVersion else {
            throw .badRequest(
                "Incorrect version specified in apply patch. Specified patch version: \(version), "
                    + "expected: \(apiVersion)")
        }
        if let managed = config["metadata"]?["managedFields"], !managed.isNull {
            throw .badRequest("metadata.managedFields must be nil")
        }
        type = MergeType(schema: schema)
        let problems = TypedValue.problems(config, type)
        if !problems.isEmpty {
            let list = problems.count == 1 ? problems[0] : (["errors:"] + problems).joined(separator: "\n  ")
            throw .invalid("failed to create typed patch object (\(Self.describe(config))): \(list)")
        }
        guard var managers = ManagerRecords(live?["metadata"]?["managedFields"]) else {
            throw .invalid("failed to decode managed fields: an entry of metadata.managedFields is not well-formed")
        }
        let updater = FieldUpdater(type: type, resetFields: resetFields)
        if managers.isEmpty, let live {
            let first = ManagerID(
                name: "before-first-apply", isApply: false, subresource: id.subresource, apiVersion: apiVersion)
            updater.update(
                &managers, from: .object(JSONObject()), to: live, by: first, apiVersion: apiVersion, time: time)
        }
        updater.reconcile(&managers)
        self.config = config
        self.live = live
        self.id = id
        self.apiVersion = apiVersion
        self.resetFields = resetFields
        self.time = time
        self.managers = managers
    }

    func result(force: Bool) throws(ApplyError) -> JSON {
        let before = live?.withoutManagedFields ?? .object(JSONObject())
        var managers = managers
        let last = managers[id]
        let own = TypedValue.fieldSet(config, type).subtractingTrees(resetFields)
        managers[id] = ManagerRecord(id: id, apiVersion: apiVersion, time: last?.time, fields: own)
        var after = TypedValue.merge(before, config, type) ?? config
        if let last, !last.fields.subtracting(own).isEmpty {
            after = pruned(after, last: last.fields, managers: managers)
            // A list or map that lost its last element is gone; where the configuration states it empty, it stays.
            after = TypedValue.merge(after, config, type) ?? after
        }
        let isSame = before == after
        if !isSame { try resolveConflicts(in: &managers, from: before, to: after, force: force) }
        if var record = managers[id] {
            record.setFields(record.fields.subtracting(FieldUpdater.unmanaged))
            if !isSame { record.time = time }
            managers[id] = record.fields.isEmpty ? nil : record
        }
        if let live, isSame, managers == self.managers { return live }
        // What sets the replicas alone is not what kubectl applies.
        if id.name == LastApplied.applier, id.subresource != "scale" { LastApplied.refresh(in: &after, from: config) }
        after.setManagedFields(managers)
        return after
    }

    /// Takes from the others what this apply changes, or refuses to.
    private func resolveConflicts(
        in managers: inout ManagerRecords, from before: JSON, to after: JSON, force: Bool
    ) throws(ApplyError) {
        let change = TypedValue.compare(before, after, type).ignoring(resetFields)
        let changed = change.modified.union(change.added)
        if !force {
            var conflicts: [ApplyConflict] = []
            for record in managers.records where record.id != id {
                let manager = record.id.printed
                conflicts += record.fields.intersection(changed).memberPaths.map {
                    ApplyConflict(manager: manager, field: $0)
                }
            }
            if !conflicts.isEmpty {
                throw .conflicts(conflicts.sorted { ($0.manager, $0.field) < ($1.manager, $1.field) })
            }
        }
        managers.updateFields { [id] record in
            record.id == id ? record.fields : record.fields.subtracting(changed).subtracting(change.removed)
        }
    }

    /// `merged` without what this manager applied last time, does not apply now, and nobody else owns.
    private func pruned(_ merged: JSON, last: FieldSet, managers: ManagerRecords) -> JSON {
        func named(_ set: FieldSet) -> FieldSet { TypedValue.ensuringNamedFields(set, type) }
        let lastNamed = named(last)
        let owned = named(managers.records.reduce(FieldSet()) { $0.union($1.fields) })
        if lastNamed.subtracting(owned).isEmpty { return merged }
        let removed = TypedValue.removing(lastNamed, from: merged, type) ?? .object(JSONObject())
        let mergedSet = named(TypedValue.fieldSet(merged, type))
        let kept = named(TypedValue.fieldSet(removed, type)).union(owned)
        let withOwned = TypedValue.removing(mergedSet.subtracting(kept), from: merged, type) ?? .object(JSONObject())
        let left = named(TypedValue.fieldSet(withOwned, type))
        let gone = mergedSet.subtracting(left).intersection(lastNamed)
        return TypedValue.removing(gone, from: merged, type) ?? .object(JSONObject())
    }

    /// What kubectl's annotation says and the live object still has.
    var lastAppliedPaths: Set<String> {
        guard let live, let applied = LastApplied.configuration(of: live), applied["apiVersion"] == .string(apiVersion)
        else { return [] }
        let change = TypedValue.compare(applied, live, type)
        let same = TypedValue.fieldSet(applied, type)
            .subtracting(change.modified).subtracting(change.added).subtracting(change.removed)
        return Set(same.memberPaths)
    }

    /// `conf/ssa; lab.example.test/v1, Kind=Gizmo`
    private static func describe(_ object: JSON) -> String {
        func text(_ json: JSON?) -> String { json?.string ?? "" }
        let metadata = object["metadata"]
        return "\(text(metadata?["namespace"]))/\(text(metadata?["name"])); \(text(object["apiVersion"])), "
            + "Kind=\(text(object["kind"]))"
    }
}

/// The annotation in which kubectl's client-side apply keeps its configuration.
enum LastApplied {
    static let applier = "kubectl"
    private static let annotation = "kubectl.kubernetes.io/last-applied-configuration"

    static func configuration(of object: JSON) -> JSON? {
        guard let text = object["metadata"]?["annotations"]?[annotation]?.string else { return nil }
        return try? JSON(parsing: text)
    }

    /// Keeps the annotation, where there is one, in step with what kubectl applies server-side.
    static func refresh(in object: inout JSON, from config: JSON) {
        guard object["metadata"]?["annotations"]?[annotation]?.string?.isEmpty == false else { return }
        var copy = config.withoutManagedFields
        if copy["metadata"]?["annotations"]?[annotation] != nil {
            copy.set(nil, at: "metadata", "annotations", annotation)
        }
        let text = String(decoding: copy.encoded(sortedKeys: true), as: UTF8.self) + "\n"
        object.set(.string(text), at: "metadata", "annotations", annotation)
    }
}
