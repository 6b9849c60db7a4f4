internal import Crypto

/// One numbered step of the schema. Once released its text never changes: what comes after is a new step.
public struct Migration: Sendable {
    /// From 1, without gaps.
    public let version: Int
    public let name: String
    /// Statements separated by semicolons; they run in one transaction.
    public let sql: String

    public init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }

    /// SHA-256 of the text, in hexadecimal.
    public var checksum: String {
        SHA256.hash(data: Array(sql.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    /// The oldest version whose services run on the tables as all steps leave them. A step that old services cannot live
    /// with raises this to its own number; apps then have to be brought to the release together with the operator.
    public static let servesSince = 25

    /// All steps, in order.
    public static let all: [Migration] =
        [
            .people, .tasks, .events, .series, .reminders, .notifications, .closedSeries, .eventText, .signatures,
            .oldSignatures,
        ] + dueOrder + lighterFences + sleepingWorkers + [
            .deliveriesByKind, .changesFirst, .renamedProjects, .digestsByPerson, .knownZones, .erasedIdentities,
            .taskTags, .oldTaskTags, .seriesInstances,
        ]
}
