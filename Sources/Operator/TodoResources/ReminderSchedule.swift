/// When the people of one installation are reminded of which of their tasks.
public struct ReminderSchedule: Sendable, Equatable, Codable {
    public var metadata: ResourceMetadata
    public var spec: Spec
    public var status: Status?

    public init(metadata: ResourceMetadata, spec: Spec, status: Status? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    /// What the user declares. Decoded from an object whose defaults are filled in (`ReminderSchedule.init(validating:)`).
    public struct Spec: Sendable, Equatable, Codable {
        public var appRef: AppReference
        public var schedule: Schedule
        public var selector: String?
        public var channels: [Channel]
        public var quietHours: QuietHours?
        public var catchUp: CatchUp
        public var suspend: Bool
    }

    public struct AppReference: Sendable, Equatable, Codable {
        public var name: String
    }

    /// One of `offsets`, `cron` and `rrule` is there.
    public struct Schedule: Sendable, Equatable, Codable {
        /// Durations before a task is due, such as `1d` or `2h30m`.
        public var offsets: [String]?
        public var cron: String?
        /// The value of an RRULE property (RFC 5545, section 3.8.5.3).
        public var rrule: String?
        /// An IANA name; nil is each person's own zone.
        public var timeZone: String?
    }

    public enum Channel: String, Sendable, Codable, CaseIterable {
        case inApp = "InApp"
        case email = "Email"
        case webhook = "Webhook"
    }

    public struct QuietHours: Sendable, Equatable, Codable {
        /// `HH:MM`; `to` may be on the next day.
        public var from: String
        public var to: String
        public var policy: QuietPolicy
    }

    public enum QuietPolicy: String, Sendable, Codable, CaseIterable {
        case deliverAfter = "DeliverAfter"
        case drop = "Drop"
    }

    /// What becomes of reminders that could not be fired in time.
    public struct CatchUp: Sendable, Equatable, Codable {
        /// A duration such as `24h`.
        public var window: String
        public var policy: CatchUpPolicy
    }

    public enum CatchUpPolicy: String, Sendable, Codable, CaseIterable {
        case all = "All"
        case latest = "Latest"
        case none = "None"
    }

    /// What the operator observed.
    public struct Status: Sendable, Equatable, Codable {
        public var observedGeneration: Int?
        /// RFC 3339.
        public var nextFireTime: String?
        public var lastFireTime: String?
        public var planned: Int?
        public var fired: Int?
        public var delivered: Int?
        public var failed: Int?
        public var expired: Int?
        public var latenessP99Milliseconds: Int?
        public var conditions: [Condition]?

        public init() {}
    }
}
