internal import StructuredData

/// The table of events, in both views of them.
enum EventTable {
    private static let event = "api.core.v1.Event"

    static let columns: [TableColumn] = [
        TableColumn("Last Seen", of: event, "lastTimestamp"), TableColumn("Type", of: event, "type"),
        TableColumn("Reason", of: event, "reason"), TableColumn("Object", of: event, "involvedObject"),
        TableColumn("Subobject", priority: 1, of: "api.core.v1.ObjectReference", "fieldPath"),
        TableColumn("Source", priority: 1, of: event, "source"), TableColumn("Message", of: event, "message"),
        TableColumn("First Seen", priority: 1, of: event, "firstTimestamp"),
        TableColumn("Count", priority: 1, of: event, "count"),
        TableColumn(
            "Name", format: "name", priority: 1, of: "apimachinery.pkg.apis.meta.v1.ObjectMeta", "name"),
    ]

    /// The cells of an event in the form of `events.k8s.io`.
    static func cellsOfNewForm(_ event: JSON, _ now: Int) -> [JSON] {
        var core = event
        for (new, old) in [
            ("regarding", "involvedObject"), ("note", "message"), ("reportingController", "reportingComponent"),
            ("deprecatedSource", "source"), ("deprecatedFirstTimestamp", "firstTimestamp"),
            ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count"),
        ] { core[old] = event[new] }
        return cells(core, now)
    }

    static func cells(_ event: JSON, _ now: Int) -> [JSON] {
        func age(_ value: JSON?) -> String? { value?.string.map { Moment.age(of: $0, now: now) } }
        let first = age(event["firstTimestamp"]) ?? age(event["eventTime"]) ?? "<unknown>"
        var last = age(event["lastTimestamp"]) ?? first
        var count = event["count"]?.int ?? 0
        if let series = event["series"], !series.isNull {
            last = age(series["lastObservedTime"]) ?? "<unknown>"
            count = series["count"]?.int ?? 0
        } else if count == 0 {
            count = 1
        }
        let object = event["involvedObject"] ?? [:]
        let name = object["name"].text
        return [
            .string(last), event.textCell("type"), event.textCell("reason"),
            .string(object["kind"].text.lowercased() + (name.isEmpty ? "" : "/\(name)")), object.textCell("fieldPath"),
            .string(source(of: event)), .string(trimmed(event["message"].text)), .string(first), JSON(count),
            event.nameCell,
        ]
    }

    private static func source(of event: JSON) -> String {
        func either(_ first: String, _ second: String) -> String { first.isEmpty ? second : first }
        let component = either(event.at("source", "component").text, event["reportingComponent"].text)
        let instance = either(event.at("source", "host").text, event["reportingInstance"].text)
        return instance.isEmpty ? component : "\(component), \(instance)"
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
