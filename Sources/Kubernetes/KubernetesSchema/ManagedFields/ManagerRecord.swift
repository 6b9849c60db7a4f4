internal import StructuredData

/// Who manages fields: managers of the same name are told apart by how, where and (for updates) in which version.
struct ManagerID: Sendable, Hashable {
    var name: String
    var isApply: Bool
    var subresource: String
    /// Empty for appliers, who keep their identity across versions.
    var version: String

    init(name: String, isApply: Bool, subresource: String?, apiVersion: String) {
        self.name = name.isEmpty ? "unknown" : name
        self.isApply = isApply
        self.subresource = subresource ?? ""
        version = isApply ? "" : apiVersion
    }

    /// As kube-apiserver names it in conflicts.
    var printed: String {
        var text = FieldError.quoted(name)
        if !subresource.isEmpty { text += " with subresource \(FieldError.quoted(subresource))" }
        return isApply ? text : "\(text) using \(version)"
    }
}

/// One entry of `metadata.managedFields`.
struct ManagerRecord: Sendable, Equatable {
    let id: ManagerID
    let apiVersion: String
    var time: String? {
        didSet { if time != oldValue { source = nil } }
    }
    private(set) var fields: FieldSet
    /// The entry as it was read; nil once it changed.
    private var source: JSON?

    init(id: ManagerID, apiVersion: String, time: String?, fields: FieldSet) {
        self.id = id
        self.apiVersion = apiVersion
        self.time = time
        self.fields = fields
    }

    /// Nil when the entry is not well-formed.
    init?(_ json: JSON) {
        guard let operation = json["operation"]?.string, operation == "Apply" || operation == "Update",
            let apiVersion = json["apiVersion"]?.string, !apiVersion.isEmpty, json["fieldsType"] == "FieldsV1",
            let fields = FieldSet(json["fieldsV1"] ?? .object(JSONObject()))
        else { return nil }
        id = ManagerID(
            name: json["manager"]?.string ?? "", isApply: operation == "Apply",
            subresource: json["subresource"]?.string, apiVersion: apiVersion)
        self.apiVersion = apiVersion
        self.fields = fields
        time = json["time"]?.string
        source = json
    }

    mutating func setFields(_ fields: FieldSet) {
        guard fields != self.fields else { return }
        self.fields = fields
        source = nil
    }

    static func == (left: ManagerRecord, right: ManagerRecord) -> Bool {
        left.id == right.id && left.apiVersion == right.apiVersion && left.time == right.time
            && left.fields == right.fields
    }

    var json: JSON {
        if let source { return source }
        var entry = JSONObject()
        entry["manager"] = .string(id.name)
        entry["operation"] = id.isApply ? "Apply" : "Update"
        entry["apiVersion"] = .string(apiVersion)
        entry["time"] = time.map(JSON.string)
        entry["fieldsType"] = "FieldsV1"
        entry["fieldsV1"] = fields.json
        if !id.subresource.isEmpty { entry["subresource"] = .string(id.subresource) }
        return .object(entry)
    }
}

/// All managers of an object.
struct ManagerRecords: Sendable, Equatable {
    private(set) var records: [ManagerRecord] = []

    init() {}

    /// Nil when an entry is not well-formed.
    init?(_ json: JSON?) {
        for entry in json?.array ?? [] {
            guard let record = ManagerRecord(entry) else { return nil }
            self[record.id] = record
        }
    }

    var isEmpty: Bool { records.isEmpty }

    subscript(id: ManagerID) -> ManagerRecord? {
        get { records.first { $0.id == id } }
        set {
            let index = records.firstIndex { $0.id == id }
            switch (index, newValue) {
            case (let index?, let record?): records[index] = record
            case (let index?, nil): records.remove(at: index)
            case (nil, let record?): records.append(record)
            case (nil, nil): break
            }
        }
    }

    /// Changes every field set; managers that are left without fields go.
    mutating func updateFields(_ update: (ManagerRecord) -> FieldSet) {
        for index in records.indices { records[index].setFields(update(records[index])) }
        records.removeAll { $0.fields.isEmpty }
    }

    static let maximumUpdaters = 10

    /// Merges the oldest updaters into one, so that an object with many writers does not grow without end.
    mutating func capUpdaters() {
        var updaters = records.filter { !$0.id.isApply }
        guard updaters.count > Self.maximumUpdaters else { return }
        updaters.sort { ($0.time ?? "", $0.id.name) < ($1.time ?? "", $1.id.name) }
        var firstOfVersion: [String: ManagerID] = [:]
        var excess = updaters.count - Self.maximumUpdaters
        for updater in updaters where excess > 0 {
            let version = updater.apiVersion
            guard let first = firstOfVersion[version] else {
                firstOfVersion[version] = updater.id
                continue
            }
            let bucket = ManagerID(name: "ancient-changes", isApply: false, subresource: nil, apiVersion: version)
            let fields = (self[bucket] ?? self[first])?.fields ?? FieldSet()
            if first != bucket { self[first] = nil }
            self[updater.id] = nil
            self[bucket] = ManagerRecord(
                id: bucket, apiVersion: version, time: updater.time, fields: fields.union(updater.fields))
            excess -= 1
        }
    }

    /// `metadata.managedFields`: appliers first, then by time and name; nil when nobody manages anything.
    var json: JSON? {
        guard !records.isEmpty else { return nil }
        let sorted = records.sorted { left, right in
            if left.id.isApply != right.id.isApply { return left.id.isApply }
            return (left.time ?? "", left.id.name, left.apiVersion, left.id.subresource)
                < (right.time ?? "", right.id.name, right.apiVersion, right.id.subresource)
        }
        return .array(sorted.map(\.json))
    }
}
