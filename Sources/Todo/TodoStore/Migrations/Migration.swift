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

    /// All steps, in order.
    public static let all: [Migration] =
        [
            .people, .tasks, .events, .series, .reminders, .notifications, .closedSeries, .eventText, .signatures,
            .oldSignatures,
        ] + dueOrder + lighterFences + sleepingWorkers + [.deliveriesByKind, .changesFirst]
}
