import ChildProcess
import Concurrency
import Foundation
import LocalPostgres
import Postgres

// One-row reads by primary key, beside `pgbench -S -M prepared -c 8 -j 2` on the same tables of the same server, in
// turns, so that other load on the machine hits all alike. Prints the medians of the rounds' rates and of their ratios
// to pgbench's in the same round.
//
//     postgres-bench [whole seconds per measurement, 1] [rounds, 9]
//
// Claims: single reads >= 65 % of pgbench, reads in batches of 32 >= 140 %.
let clients = 8
let batchSize = 32
let accounts: Int32 = 100_000  // what pgbench makes at scale 1

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let seconds = arguments.first ?? 1
let rounds = arguments.dropFirst().first ?? 9

/// Random enough and, unlike the system's generator, no system call.
struct Generator: RandomNumberGenerator {
    private var state: UInt64 = .random(in: 1...(.max))

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}

func read(_ generator: inout Generator) -> PostgresQuery {
    "SELECT abalance FROM pgbench_accounts WHERE aid = \(Int32.random(in: 1...accounts, using: &generator))"
}

/// One statement, one round trip.
@Sendable func single(_ connection: PostgresConnection, _ generator: inout Generator) async throws -> Int {
    let rows = try await connection.query(read(&generator))
    return try rows.reduce(0) { try $0 + ($1.decode(Int32.self) == .min ? 0 : 1) }
}

/// `batchSize` statements in one round trip.
@Sendable func pipelined(_ connection: PostgresConnection, _ generator: inout Generator) async throws -> Int {
    var queries: [PostgresQuery] = []
    for _ in 0..<batchSize { queries.append(read(&generator)) }
    let results = try await connection.batch(queries)
    return try results.reduce(0) { sum, rows in
        try rows.reduce(sum) { try $0 + ($1.decode(Int32.self) == .min ? 0 : 1) }
    }
}

/// Rows read in a second by all clients together.
func measure(
    _ pool: PostgresPool, _ work: @escaping @Sendable (PostgresConnection, inout Generator) async throws -> Int
) async throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    let end = start.advanced(by: .seconds(seconds))
    let count = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<clients {
            group.addTask(executorPreference: pool.reactor) {
                try await pool.withConnection { connection in
                    var count = 0
                    var generator = Generator()
                    while clock.now < end { count += try await work(connection, &generator) }
                    return count
                }
            }
        }
        return try await group.reduce(0, +)
    }
    return Double(count) / (start.duration(to: clock.now) / .seconds(1))
}

/// Processes that wanted a CPU in the last 1, 5 and 15 minutes.
func loadAverage() -> String {
    var loads = [Double](repeating: 0, count: 3)
    return getloadavg(&loads, 3) == 3 ? loads.map { "\(($0 * 100).rounded() / 100)" }.joined(separator: " ") : "unknown"
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// The transactions per second that pgbench reports; nil for runs that measure nothing.
@discardableResult
func pgbench(_ uri: String, _ options: [String]) async throws -> Double? {
    let path = "/usr/bin:/usr/local/bin:/bin"
    var command = ChildProcess.Specification(
        path: try ChildProcess.find("pgbench", in: path), arguments: options + [uri], environment: ["PATH": path])
    command.standardError = .null
    guard case .ended(_, let output) = try await ChildProcess.capture(command) else { return nil }
    return String(decoding: output, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("tps = ") }
        .flatMap { Double($0.dropFirst(6).prefix { $0 != " " }) }
}

let folder = NSTemporaryDirectory() + "postgres-bench-\(getpid())"
let server = try await LocalPostgres(folder: folder)
try await server.start()
let uri = try await server.database("bench")
try await pgbench(uri, ["-i", "-q", "-s", "1"])
let pool = PostgresPool(try PostgresConfiguration(uri), limits: .init(size: clients))
var rates: (pgbench: [Double], single: [Double], pipelined: [Double]) = ([], [], [])
for _ in 0..<rounds {
    let options = ["-S", "-M", "prepared", "-c", "\(clients)", "-j", "2", "-T", "\(seconds)", "-n"]
    rates.pgbench.append(try await pgbench(uri, options) ?? .nan)
    rates.single.append(try await measure(pool, single))
    rates.pipelined.append(try await measure(pool, pipelined))
}
await pool.close()
await server.stop()
try FileManager.default.removeItem(atPath: folder)

print("\(clients) clients, one-row reads by primary key, rows/s, medians of \(rounds) rounds of \(seconds) s")
for (name, values, goal) in [
    ("pgbench -M prepared", rates.pgbench, nil), ("Postgres, single", rates.single, 65),
    ("Postgres, batches of \(batchSize)", rates.pipelined, 140),
] as [(String, [Double], Int?)] {
    let share = Int((median(zip(values, rates.pgbench).map { $0 / $1 }) * 100).rounded())
    let name = name.padding(toLength: 26, withPad: " ", startingAt: 0)
    print("\(name) \(Int(median(values))) (\(share) % of pgbench\(goal.map { ", goal \($0) %" } ?? ""))")
}
print("load: \(loadAverage())")
