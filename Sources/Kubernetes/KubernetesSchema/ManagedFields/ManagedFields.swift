public import StructuredData

/// Keeps `metadata.managedFields` true when an object is written by anything but apply.
public enum ManagedFields {
    /// `new` with managedFields that say what `manager` changed (operation `Update`) between `old` and `new`.
    ///
    /// Managed fields that the writer sent are honoured as kube-apiserver does: an emptied list resets them, an absent
    /// or unreadable one takes those of `old`. An object whose managed fields were reset is not tracked again until
    /// somebody applies it.
    /// - Parameters:
    ///   - old: the object that `new` replaces; nil on create.
    ///   - subresource: `status`, `scale`, … or nil; a writer of a subresource cannot send managed fields.
    ///   - resetFields: paths that this writer cannot change and so never owns: `status` for the main resource of a
    ///     kind with a status subresource; `spec` for its status.
    ///   - time: now, as RFC 3339 with seconds.
    public static func recordUpdate(
        old: JSON?, new: JSON, manager: String, subresource: String?, apiVersion: String, schema: Schema,
        resetFields: [[String]] = [], time: String
    ) -> JSON {
        let sent = subresource == nil ? new["metadata"]?["managedFields"] : nil
        var managers = startingPoint(sent: sent, old: old)
        var result = new.withoutManagedFields
        // Nothing is known of who owns what: only the first write can be tracked from the start.
        if managers.isEmpty, old != nil { return result }
        let updater = FieldUpdater(type: MergeType(schema: schema), resetFields: FieldSet(paths: resetFields))
        updater.update(
            &managers, from: old?.withoutManagedFields ?? .object(JSONObject()), to: result,
            by: ManagerID(name: manager, isApply: false, subresource: subresource, apiVersion: apiVersion),
            apiVersion: apiVersion, time: time)
        result.setManagedFields(managers)
        return result
    }

    private static func startingPoint(sent: JSON?, old: JSON?) -> ManagerRecords {
        let known = ManagerRecords(old?["metadata"]?["managedFields"]) ?? ManagerRecords()
        guard let sent, let entries = sent.array else { return known }
        // `[]` and `[{}]` say that the writer wants them gone.
        if entries.isEmpty || entries == [[:]] { return ManagerRecords() }
        guard let records = ManagerRecords(sent), !records.isEmpty else { return known }
        return records
    }
}

/// How field sets change when an object does.
struct FieldUpdater {
    /// What nobody owns: identity, and what the server sets.
    static let unmanaged = FieldSet(
        paths: [["apiVersion"], ["kind"], ["metadata"]]
            + [
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
                "managedFields", "resourceVersion",
            ].map { ["metadata", $0] })

    let type: MergeType
    let resetFields: FieldSet

    /// Brings field sets in line with a schema that changed since they were written. Built-in kinds never do.
    func reconcile(_ managers: inout ManagerRecords) {
        guard type.schema?.definitionName == nil else { return }
        managers.updateFields { TypedValue.reconciled($0.fields, type) }
    }

    /// Records an update: who else owned what changed or went owns it no more, and `id` owns what it changed.
    func update(
        _ managers: inout ManagerRecords, from old: JSON, to new: JSON, by id: ManagerID, apiVersion: String,
        time: String
    ) {
        reconcile(&managers)
        let change = TypedValue.compare(old, new, type).ignoring(resetFields)
        let changed = change.modified.union(change.added)
        managers.updateFields { $0.fields.subtracting(changed).subtracting(change.removed) }
        let own = changed.subtractingTrees(resetFields).subtracting(Self.unmanaged)
        if !own.isEmpty {
            let earlier = managers[id]?.fields ?? FieldSet()
            managers[id] = ManagerRecord(id: id, apiVersion: apiVersion, time: time, fields: own.union(earlier))
        }
        managers.capUpdaters()
    }
}

extension JSON {
    var withoutManagedFields: JSON {
        guard self["metadata"]?["managedFields"] != nil else { return self }
        var result = self
        result.set(nil, at: "metadata", "managedFields")
        return result
    }

    mutating func setManagedFields(_ managers: ManagerRecords) {
        guard let json = managers.json else {
            if self["metadata"]?["managedFields"] != nil { set(nil, at: "metadata", "managedFields") }
            return
        }
        set(json, at: "metadata", "managedFields")
    }
}
