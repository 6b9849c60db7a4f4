internal import StructuredData

/// The layouts of built-in kinds, by `GROUP/PLURAL` (`pkg/printers/internalversion` of Kubernetes).
enum BuiltinTables {
    static let layouts: [String: TableLayout] = [
        PodTable.layouts, WorkloadTables.layouts, CoreTables.layouts, OtherTables.layouts,
    ]
    .reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    /// Kinds without a layout of their own: roles, limit ranges, custom resource definitions.
    static let plain = TableLayout(columns: [.name, .createdAt]) { object, _ in
        [object.nameCell, .string(object.at("metadata", "creationTimestamp").text)]
    }
}

extension JSON {
    var nameCell: JSON { at("metadata", "name") ?? "" }

    func ageCell(_ now: Int) -> JSON { .string(Moment.age(of: at("metadata", "creationTimestamp")?.string, now: now)) }

    /// The number under a path of keys; zero when absent.
    func count(_ path: String...) -> JSON { JSON(value(at: path[...])?.int ?? 0) }

    /// The text under a path of keys; `absent` when there is none.
    func textCell(_ path: String..., absent: String = "") -> JSON {
        let text = value(at: path[...]).text
        return .string(text.isEmpty ? absent : text)
    }
}

/// Values that several tables print alike.
enum Cells {
    static let none = "<none>"

    /// `a=b,c=d`.
    static func labels(_ map: JSON?) -> JSON {
        let pairs = (map?.object ?? [:]).map { "\($0.key)=\($0.value.string ?? "")" }.sorted()
        return .string(pairs.isEmpty ? none : pairs.joined(separator: ","))
    }

    /// A `LabelSelector` in text form.
    static func selector(_ selector: JSON?) -> JSON {
        let text = selector.flatMap(LabelSelector.init(labelSelector:))?.text ?? ""
        return .string(text.isEmpty ? none : text)
    }

    /// Names and images of a pod template's containers.
    static func containers(_ podSpec: JSON?) -> [JSON] {
        let containers = (podSpec?["containers"]).elements
        return ["name", "image"].map { key in
            .string(containers.map { $0[key].text }.joined(separator: ","))
        }
    }

    /// The first `limit` texts, and how many more there are.
    static func list(_ texts: [String], limit: Int) -> String {
        let shown = texts.prefix(limit).joined(separator: ",")
        return texts.count > limit ? "\(shown) + \(texts.count - limit) more..." : shown
    }

    /// A count or percentage as text.
    static func intOrText(_ value: JSON?, absent: String) -> JSON {
        .string(value?.string ?? value?.int.map(String.init) ?? absent)
    }

    /// `RWO,RWX`.
    static func accessModes(_ modes: JSON?) -> JSON {
        let short = [
            "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP",
        ]
        let present = Set(modes.elements.compactMap(\.string))
        let order = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
        return .string(order.filter(present.contains).compactMap { short[$0] }.joined(separator: ","))
    }
}
