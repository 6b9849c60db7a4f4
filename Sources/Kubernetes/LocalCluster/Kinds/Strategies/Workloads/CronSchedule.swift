/// The form of a cron schedule: five fields, or a descriptor such as `@daily`.
enum CronSchedule {
    private static let descriptors: Set<Substring> = [
        "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
    ]
    private static let fields: [(range: ClosedRange<Int>, names: [String])] = [
        (0...59, []), (0...23, []), (1...31, []),
        (1...12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        (0...6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]

    /// What is wrong with `schedule`; nil when nothing is.
    static func fault(in schedule: String) -> String? {
        if schedule.first == "@" {
            if descriptors.contains(schedule[...]) || schedule.hasPrefix("@every ") { return nil }
            return "unrecognized descriptor: \(schedule)"
        }
        let parts = schedule.split(separator: " ")
        guard parts.count == fields.count else {
            return "expected exactly 5 fields, found \(parts.count): [\(parts.joined(separator: " "))]"
        }
        for (part, field) in zip(parts, fields) {
            for item in part.split(separator: ",", omittingEmptySubsequences: false) {
                if let fault = fault(inItem: item, field.range, field.names) { return fault }
            }
        }
        return nil
    }

    private static func fault(inItem item: Substring, _ range: ClosedRange<Int>, _ names: [String]) -> String? {
        let halves = item.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return "too many slashes: \(item)" }
        if halves.count == 2, Int(halves[1]).map({ $0 < 1 }) ?? true {
            return "step of range should be a positive number: \(item)"
        }
        if halves[0] == "*" || halves[0] == "?" { return nil }
        let bounds = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count <= 2 else { return "too many hyphens: \(item)" }
        var values: [Int] = []
        for bound in bounds {
            if let place = names.firstIndex(of: bound.lowercased()) {
                values.append(range.lowerBound + place)
            } else if let number = Int(bound), bound.allSatisfy(\.isNumber) {
                values.append(number)
            } else {
                return
                    "failed to parse int from \(bound): strconv.Atoi: parsing \(quoted(String(bound))): invalid syntax"
            }
        }
        for value in values where !range.contains(value) {
            return value < range.lowerBound
                ? "beginning of range (\(value)) below minimum (\(range.lowerBound)): \(item)"
                : "end of range (\(value)) above maximum (\(range.upperBound)): \(item)"
        }
        if values.count == 2, values[0] > values[1] {
            return "beginning of range (\(values[0])) beyond end of range (\(values[1])): \(item)"
        }
        return nil
    }
}
