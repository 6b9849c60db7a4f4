extension CELEvaluator {
    /// Parts of a timestamp, in UTC or at an offset such as `+02:00`.
    func times(_ name: String, _ time: Timestamp, _ arguments: [CELValue]) throws(CELError) -> CELValue? {
        var local = time
        if let zone = arguments.first {
            guard case .string(let text) = zone else { return nil }
            local.seconds += try offset(ofZone: text)
        }
        switch name {
        case "getFullYear": return .int(local.date.year)
        case "getMonth": return .int(local.date.month - 1)
        case "getDate": return .int(local.date.day)
        case "getDayOfMonth": return .int(local.date.day - 1)
        case "getDayOfWeek": return .int(local.dayOfWeek)
        case "getDayOfYear": return .int(local.dayOfYear)
        case "getHours": return .int(local.secondOfDay / 3600)
        case "getMinutes": return .int(local.secondOfDay / 60 % 60)
        case "getSeconds": return .int(local.secondOfDay % 60)
        case "getMilliseconds": return .int(local.nanoseconds / 1_000_000)
        default: return nil
        }
    }

    /// The whole duration in the unit, without fractions.
    func times(_ name: String, _ duration: GoDuration) -> CELValue? {
        switch name {
        case "getHours": .int(duration.nanoseconds / 3_600_000_000_000)
        case "getMinutes": .int(duration.nanoseconds / 60_000_000_000)
        case "getSeconds": .int(duration.nanoseconds / 1_000_000_000)
        case "getMilliseconds": .int(duration.nanoseconds / 1_000_000)
        default: nil
        }
    }

    /// Seconds east of UTC. Zones by name need a zone database, which a schema's rules must not depend on.
    private func offset(ofZone zone: String) throws(CELError) -> Int {
        if zone == "UTC" || zone.isEmpty { return 0 }
        let isWest = zone.hasPrefix("-")
        let digits = zone.hasPrefix("+") || isWest ? zone.dropFirst() : Substring(zone)
        let parts = digits.split(separator: ":")
        guard parts.count == 2, let hours = Int(parts[0]), let minutes = Int(parts[1]), (0..<24).contains(hours),
            (0..<60).contains(minutes)
        else { throw .evaluation("unknown time zone \(zone)") }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }
}
