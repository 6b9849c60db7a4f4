import AuditService
import Dapr
import Foundation
import LocalPostgres
import Logging
import Postgres
import Telemetry

// Bulk deliveries of task events into the audit log, then the check of its export. Both as in production: JSON parsed,
// content sealed, chains in a PostgreSQL that flushes every commit, on this machine; only HTTP is left out.
//
//     audit-bench [events, 1000000]
//
// Claims: >= 20,000 events/s appended; 1,000,000 rows verified in <= 5 s.
let events = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
let perDelivery = 500
let perRound = 50_000
let consumers = 4
let users = (0..<2000).map { _ in UUID().uuidString.lowercased() }

/// A UUID of version 7, so that ids come in the order in which they do in life.
func eventID() -> String {
    let milliseconds = String(UInt64(Date().timeIntervalSince1970 * 1000), radix: 16)
    let time = String(repeating: "0", count: 12 - milliseconds.count) + milliseconds
    return "\(time.prefix(8))-\(time.dropFirst(8))-7" + UUID().uuidString.lowercased().dropFirst(15)
}

func event(of user: String) -> String {
    let task = UUID().uuidString.lowercased()
    return """
        {"specversion":"1.0","id":"\(eventID())","type":"dev.todo-operator.task.updated","source":"/users/\(user)",\
        "subject":"\(task)","time":"2026-11-21T10:00:00.123456Z","datacontenttype":"application/json",\
        "partitionkey":"\(user)","seq":"4711","topic":"task-events","pubsubname":"todo-pubsub","data":{"user":"\(user)",\
        "actor":"\(user)","seq":4711,"members":["\(user)"],"task":{"id":"\(task)","user":"\(user)","project":"\(user)",\
        "parent":null,"title":"Water the plants on the balcony","description":"The small ones twice","status":"open",\
        "priority":"high","due":{"date":"2026-11-21","time":"18:00","zone":"Europe/Berlin"},"start":null,\
        "estimate":15,"tags":["home","garden"],"position":"a0","createdAt":"2026-11-20T10:00:00.123456Z",\
        "updatedAt":"2026-11-21T10:00:00.123456Z","completedAt":null,"deletedAt":null,"version":3,"seq":4711}}}
        """
}

func delivery() -> [UInt8] {
    let entries = (0..<perDelivery).map { number in
        #"{"entryId":"\#(number)","contentType":"application/cloudevents+json","metadata":{},"event":"#
            + event(of: users[.random(in: users.indices)]) + "}"
    }
    return Array(
        (#"{"id":"b","type":"com.dapr.event.sent.bulk","topic":"task-events","pubsubname":"todo-pubsub","metadata":{},"#
            + #""entries":["# + entries.joined(separator: ",") + "]}").utf8)
}

/// Has `consumers` tasks take the deliveries; returns how long they took together.
func consume(_ deliveries: [[UInt8]], into log: AuditLog) async throws -> Duration {
    let delivery = EventDelivery(log: log)
    return try await ContinuousClock().measure {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for consumer in 0..<consumers {
                group.addTask {
                    for index in stride(from: consumer, to: deliveries.count, by: consumers) {
                        let statuses = await delivery.handle(try Delivery(body: deliveries[index]).events)
                        precondition(statuses.allSatisfy { $0 == .success }, "a delivery was not recorded")
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Returns how long it took.
func export(_ log: AuditLog, to file: String) async throws -> Duration {
    FileManager.default.createFile(atPath: file, contents: nil)
    guard let output = FileHandle(forWritingAtPath: file) else { throw CocoaError(.fileWriteUnknown) }
    let duration = try await ContinuousClock().measure { try await log.export { try output.write(contentsOf: $0) } }
    try output.close()
    return duration
}

func rate(_ count: Int, _ duration: Duration) -> Int { Int(Double(count) / (duration / .seconds(1))) }

func loadAverage() -> String {
    var loads = [Double](repeating: 0, count: 3)
    return getloadavg(&loads, 3) == 3 ? loads.map { "\(($0 * 100).rounded() / 100)" }.joined(separator: " ") : "unknown"
}

let folder = NSTemporaryDirectory() + "audit-bench-\(getpid())"
let server = try await LocalPostgres(folder: folder)
try await server.start()
let uri = try await server.database("bench")
_ = try await AuditSchema.migrate(databaseURI: uri)
let pool = PostgresPool(try PostgresConfiguration(uri), limits: .init(size: 8))
guard let secrets = AuditSecrets(master: .init(repeating: 1, count: 32), signingSeed: .init(repeating: 2, count: 32))
else { exit(1) }
var logger = Logger(label: "bench")
logger.logLevel = .error
let log = AuditLog(pool: pool, secrets: secrets, metrics: PrometheusRegistry(), logger: logger)

var appending = Duration.zero
var slowest = Int.max
var last: [[UInt8]] = []
for _ in 0..<max(1, events / perRound) {
    last = (0..<perRound / perDelivery).map { _ in delivery() }
    let duration = try await consume(last, into: log)
    appending += duration
    slowest = min(slowest, rate(perRound, duration))
    try await log.makeCheckpoint()
}
let appended = max(1, events / perRound) * perRound
print(
    "appended \(appended) events: \(rate(appended, appending))/s, the slowest \(perRound) \(slowest)/s (goal 20000/s)")
print("the same \(perRound) events again: \(rate(perRound, try await consume(last, into: log)))/s, none of them twice")

let file = folder + "/export.ndjson"
let exporting = try await export(log, to: file)
let size = (try FileManager.default.attributesOfItem(atPath: file)[.size] as? Int) ?? 0
print("exported \(size >> 20) MiB: \(rate(appended, exporting)) rows/s")

var verifying: [Double] = []
for _ in 0..<3 {
    let duration = try await ContinuousClock().measure {
        let summary = try await ExportVerifier().verify(try ExportFile(path: file))
        precondition(summary.rows == appended, "rows are missing")
    }
    verifying.append(duration / .seconds(1))
}
let seconds = verifying.map { String(format: "%.2f", $0) }.joined(separator: ", ")
print("verified \(appended) rows in \(seconds) s (goal 5 s for 1000000)")
await pool.close()
await server.stop()
try FileManager.default.removeItem(atPath: folder)
print("load: \(loadAverage())")
