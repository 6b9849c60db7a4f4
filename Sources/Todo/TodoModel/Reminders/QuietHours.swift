public import StructuredData

/// When somebody is not to be disturbed, every day.
public struct QuietHours: Sendable, Hashable {
    public enum Policy: String, Sendable, Hashable, CaseIterable {
        /// A reminder is held until they are over.
        case deliverAfter = "deliver-after"
        /// A reminder is listed as expired.
        case drop
    }

    /// The first quiet minute.
    public let from: TimeOfDay
    /// The first minute that is not; before `from` it is one of the next day. Never equal to it.
    public let to: TimeOfDay
    /// An IANA zone; nil: the one that the person is in.
    public let zone: String?
    public let policy: Policy

    /// Nil when `from` equals `to`, which says neither always nor never.
    public init?(from: TimeOfDay, to: TimeOfDay, zone: String? = nil, policy: Policy = .deliverAfter) {
        guard from != to else { return nil }
        self.from = from
        self.to = to
        self.zone = zone
        self.policy = policy
    }

    /// `zone` is left out where there is none.
    public var json: JSON {
        var object: JSONObject = [
            "from": .string(from.text), "to": .string(to.text), "policy": .string(policy.rawValue),
        ]
        if let zone { object["zone"] = .string(zone) }
        return .object(object)
    }
}

extension MemberReader {
    /// Problems inside are told as `quietHours.from` and so on.
    public mutating func quietHours(_ name: String) throws(ValidationError) -> QuietHours? {
        guard let json = value(name) else { return nil }
        guard json.object != nil else {
            fail(
                name,
                "must be an object such as {\"from\": \"22:00\", \"to\": \"07:00\", \"policy\": \"deliver-after\"}")
            return nil
        }
        var inner = try MemberReader(json, of: "quiet hours")
        for member in ["from", "to"] where inner.value(member) == nil { inner.fail(member, "is required, as in 22:00") }
        let (from, to, zone) = (inner.time("from"), inner.time("to"), inner.zone("zone"))
        let policy = inner.choice("policy", QuietHours.Policy.allCases.map { ($0.rawValue, $0) }) ?? .deliverAfter
        if let from, from == to { inner.fail("to", "must be another time than from") }
        do {
            try inner.finish()
        } catch {
            for problem in error.fields { fail("\(name).\(problem.field)", problem.message) }
            return nil
        }
        guard let from, let to else { return nil }
        return QuietHours(from: from, to: to, zone: zone, policy: policy)
    }
}
