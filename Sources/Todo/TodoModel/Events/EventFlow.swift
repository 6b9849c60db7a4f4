/// What goes where between the services of an installation (design, section 2). The services serve these paths, and the
/// operator subscribes them: so that a topic, a path and a batch are said once.
public enum EventFlow {
    /// The topics that the services need, without the prefix that they have in a Kafka that others use too.
    public static let topics = [TodoEvent.topic, ReminderEvent.topic, auditTopic, deadLetters]

    /// Of what is to be recorded and nothing more.
    public static let auditTopic = "audit-events"
    /// Where events go that a service cannot use: nothing of them is lost.
    public static let deadLetters = "dead-letters"

    /// The bytes that no event exceeds, whatever people write (tests make the largest). Brokers refuse messages of about
    /// a megabyte, and a refused event would hold up all of its person's that follow.
    public static let largestEvent = 192 << 10

    /// By whose outbox relay every event is published.
    public static let publisher = "api"

    /// What one service takes of one topic.
    public struct Delivery: Sendable, Hashable {
        /// The service's name, as in `todo serve NAME`.
        public let service: String
        public let topic: String
        /// Where those go that the service cannot use; nil drops them.
        public let deadLetterTopic: String?
        /// How many events it is given at once; so many of the largest are less than a service takes, 64 MiB.
        public let maxMessages: Int
        /// How long an event waits for others, in milliseconds: how late it may be for a larger batch.
        public let maxAwaitMilliseconds: Int

        public var path: String { EventFlow.path(of: topic) }
    }

    /// Where a service is called with the events of a topic.
    public static func path(of topic: String) -> String { "/events/\(topic)" }

    /// A larger bulk costs the audit log fewer commits; the others wait no longer than a person would notice.
    public static let deliveries = [
        Delivery(
            service: "audit", topic: TodoEvent.topic, deadLetterTopic: deadLetters,
            maxMessages: 300, maxAwaitMilliseconds: 100),
        Delivery(
            service: "audit", topic: auditTopic, deadLetterTopic: deadLetters,
            maxMessages: 300, maxAwaitMilliseconds: 100),
        Delivery(
            service: "notification", topic: ReminderEvent.topic,
            deadLetterTopic: deadLetters, maxMessages: 300, maxAwaitMilliseconds: 20),
        // Who misses one here finds the change when they next ask for changes.
        Delivery(
            service: "realtime", topic: TodoEvent.topic, deadLetterTopic: nil,
            maxMessages: 200, maxAwaitMilliseconds: 10),
        Delivery(
            service: "realtime", topic: ReminderEvent.topic, deadLetterTopic: nil,
            maxMessages: 200, maxAwaitMilliseconds: 10),
        // By these it hears which sessions have ended; what is missed here its checks find out later.
        Delivery(
            service: "realtime", topic: auditTopic, deadLetterTopic: nil,
            maxMessages: 200, maxAwaitMilliseconds: 10),
    ]

    /// What a service is called for once a day, in every replica at the same time.
    public struct DailyJob: Sendable, Hashable {
        /// The service's name, as in `todo serve NAME`.
        public let service: String
        public let path: String
    }

    public static let dailyJobs = [
        // Purges what was in the bin for longer than it keeps.
        DailyJob(service: "api", path: "/jobs/purge-bin"),
        // Signs a checkpoint, and drops entries that are older than the log keeps.
        DailyJob(service: "audit", path: "/jobs/drop-entries"),
    ]

    public static func dailyJobs(of service: String) -> [DailyJob] { dailyJobs.filter { $0.service == service } }

    /// Those of which every replica sees every event; the replicas of the others share them.
    public static let broadcast: Set<String> = ["realtime"]

    /// What a service is called with.
    public static func deliveries(to service: String) -> [Delivery] { deliveries.filter { $0.service == service } }
}
