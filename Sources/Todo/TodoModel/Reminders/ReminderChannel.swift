internal import StructuredData

/// By which way a reminder reaches somebody.
public enum ReminderChannel: String, Sendable, Hashable, CaseIterable {
    /// On the page, live.
    case inApp = "in-app"
    case webhook
    case email
}

extension MemberReader {
    /// A list of channels, each once, in the order of `allCases`; empty stands for all that the person has.
    mutating func channels(_ name: String) -> [ReminderChannel]? {
        guard let value = value(name) else { return nil }
        let names = value.array?.compactMap(\.string) ?? []
        let channels = names.compactMap { ReminderChannel(rawValue: $0) }
        guard value.array != nil, names.count == value.array?.count, channels.count == names.count else {
            let allowed = ReminderChannel.allCases.map(\.rawValue).joined(separator: ", ")
            fail(name, "must be a list of channels: \(allowed)")
            return nil
        }
        return ReminderChannel.allCases.filter(channels.contains)
    }
}
