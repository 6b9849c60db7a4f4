/// A parser, and what must hold of whatever it takes.
enum FuzzTarget: String, CaseIterable {
    case json, yaml, patch, query, event, message, cel, recurrence, zone, tz, webhook

    /// Set once, before the driver runs: that takes a C function, which can hold nothing.
    nonisolated(unsafe) static var chosen: FuzzTarget?

    func run(_ bytes: [UInt8]) {
        switch self {
        case .json: checkJSON(bytes)
        case .yaml: checkYAML(bytes)
        case .patch: checkPatch(bytes)
        case .query: checkQuery(bytes)
        case .event: checkEvent(bytes)
        case .message: checkMessage(bytes)
        case .cel: checkCEL(bytes)
        case .recurrence: checkRecurrence(bytes)
        case .zone: checkZoneFile(bytes)
        case .tz: checkZoneRule(bytes)
        case .webhook: checkWebhook(bytes)
        }
    }
}

/// Ends the process, with which libFuzzer keeps the input.
func check(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fatalError(what()) }
}
