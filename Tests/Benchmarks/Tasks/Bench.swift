import ChildProcess
import Foundation
import LocalPostgres
import Postgres
import StructuredData

/// What one run of the generator found.
struct Round {
    let requestsPerSecond: Double
    /// Of the server and of PostgreSQL, in milliseconds for each request.
    let cpu: (server: Double, database: Double)
    /// Milliseconds by kind of request, and of `all`.
    let times: JSON

    func time(_ kind: String, _ percentile: String) -> Double { times[kind]?[percentile]?.double ?? .nan }
}

/// Sets everything up, lets the servers take turns, and prints the medians.
final class Bench {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tasks-bench-\(UUID().uuidString)").path
    private let options: Options
    private var database: Database?
    private var servers: [Server] = []
    /// Requests so far by server, so that no number comes twice.
    private var sent: [String: Int] = [:]

    init(_ options: Options) { self.options = options }

    func run() async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let start = ContinuousClock.now
        let database = try await Database.start(in: "\(folder)/postgres", options)
        self.database = database
        try await database.run("Tasks/data.sql", options)
        try Data(try await database.sample().utf8).write(to: URL(fileURLWithPath: "\(folder)/sample.json"))
        servers.append(try await .ours(options, database: database.uri, folder: folder))
        if options.isPeerWanted, let peer = try await preparePeer(database) { servers.append(peer) }
        try await database.withConnection {
            try await $0.execute(script: "VACUUM (ANALYZE)")
            try await $0.execute(script: "CHECKPOINT")
        }
        let seconds = Int((ContinuousClock.now - start) / .seconds(1))
        say("\(options.users) people with \(options.tasks) tasks each were made in \(seconds) s")
        if servers.count > 1 { try Comparison(sample: Sample(file: "\(folder)/sample.json"), servers: servers).run() }
        for server in servers { _ = try await measure(server, rate: nil, seconds: 5) }
        try await compare("due at \(options.rate) requests/s", rate: options.rate)
        try await compare("as fast as can be, 32 connections", rate: nil)
    }

    func end(keepingLogs: Bool = false) async {
        for server in servers { await server.stop() }
        await database?.server.stop()
        try? FileManager.default.removeItem(atPath: "\(folder)/postgres/data")
        if !keepingLogs { try? FileManager.default.removeItem(atPath: folder) }
    }

    private func preparePeer(_ database: Database) async throws -> Server? {
        try await database.run("Peers/fastapi/schema.sql", options)
        return try await .peer(options, database: database.uri, folder: folder)
    }

    /// Rounds in turns, so that other load on the machine hits all alike.
    private func compare(_ what: String, rate: Int?) async throws {
        var rounds = servers.map { _ in [Round]() }
        for _ in 0..<options.rounds {
            for (place, server) in servers.enumerated() {
                rounds[place].append(try await measure(server, rate: rate, seconds: options.seconds))
            }
        }
        say("\n\(what); medians of \(options.rounds) rounds of \(options.seconds) s; load \(loadAverage())")
        say("server              requests/s    p50 ms    p95 ms    p99 ms  CPU ms/request  of PostgreSQL")
        for (server, rounds) in zip(servers, rounds) { report(server, rounds) }
        if rounds.count > 1, rate == nil {
            let ratios = zip(rounds[0], rounds[1]).map { $0.requestsPerSecond / $1.requestsPerSecond }
            say(String(format: "%.1f times the requests/s of the peer", median(ratios)))
        }
    }

    private func report(_ server: Server, _ rounds: [Round]) {
        func middle(_ value: (Round) -> Double) -> Double { median(rounds.map(value)) }
        say(
            padded(server.name, 18)
                + String(
                    format: "%12.0f%10.1f%10.1f%10.1f%16.2f%15.2f", middle(\.requestsPerSecond),
                    middle { $0.time("all", "p50") }, middle { $0.time("all", "p95") },
                    middle { $0.time("all", "p99") },
                    middle(\.cpu.server), middle(\.cpu.database)))
        for kind in BenchRequest.Kind.allCases.map(\.rawValue) {
            say(
                padded("  \(kind)", 30)
                    + String(
                        format: "%10.1f%10.1f%10.1f", middle { $0.time(kind, "p50") }, middle { $0.time(kind, "p95") },
                        middle { $0.time(kind, "p99") }))
        }
    }

    private func measure(_ server: Server, rate: Int?, seconds: Int) async throws -> Round {
        guard let database else { throw Failure("there is no database") }
        let order = Generator.Order(
            dialect: server.dialect, port: server.port, sample: "\(folder)/sample.json", seconds: seconds, rate: rate,
            first: sent[server.name] ?? 0)
        let before = (server.processes.processorTime, database.processes.processorTime)
        let generator = ChildProcess.Specification(
            path: "/proc/self/exe", arguments: ["generate", order.text],
            environment: ProcessInfo.processInfo.environment)
        guard case .ended(.exited(0), let output) = try await ChildProcess.capture(generator) else {
            throw Failure("the generator failed")
        }
        let after = (server.processes.processorTime, database.processes.processorTime)
        let result = try JSON(parsing: output)
        guard let count = result["times"]?["all"]?["count"]?.int, let time = result["seconds"]?.double else {
            throw Failure("the generator gave no times")
        }
        if let failures = result["failures"]?.int, failures > 0 {
            throw Failure(
                "\(server.name) failed \(failures) of \(count) requests, such as \(result["failure"]?.string ?? "")")
        }
        sent[server.name, default: 0] += count
        let each = 1000 / Double(count)
        return Round(
            requestsPerSecond: Double(count) / time,
            cpu: ((after.0 - before.0) * each, (after.1 - before.1) * each), times: result["times"] ?? .null)
    }
}

/// Holds that both servers answer the same lists with the same tasks, so that they are compared at the same work.
struct Comparison {
    let sample: Sample
    let servers: [Server]

    func run() throws {
        let connections = try servers.map { try HTTPConnection(port: $0.port) }
        var compared = 0
        for number in 0..<2000 where compared < 200 {
            let requests = servers.map { server in
                Workload(sample: sample, dialect: server.dialect).request(number) { 0 }
            }
            // Days begin at another hour for us, in the zone of each person.
            guard requests[0].kind == .list, !requests[1].path.contains("due_") else { continue }
            let ids = try zip(connections, requests).map { connection, request in
                let token = sample.people[request.person].token
                let reply = try connection.send(request.method, request.path, token: token)
                return try JSON(parsing: reply.body)["items"]?.array?.compactMap { $0["id"]?.string } ?? ["none"]
            }
            guard ids[0] == ids[1] else {
                throw Failure(
                    "the servers answer differently: \(requests[0].path) \(ids[0])\n\(requests[1].path) \(ids[1])")
            }
            compared += 1
        }
        say("\(compared) lists are the same from \(servers.map(\.name).joined(separator: " and "))")
    }
}

func say(_ text: String) {
    print(text)
    fflush(nil)
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

private func median(_ values: [Double]) -> Double { values.isEmpty ? .nan : values.sorted()[values.count / 2] }

/// Processes that wanted a CPU in the last 1, 5 and 15 minutes.
private func loadAverage() -> String {
    var loads = [Double](repeating: 0, count: 3)
    return getloadavg(&loads, 3) == 3 ? loads.map { String(format: "%.1f", $0) }.joined(separator: " ") : "unknown"
}
