import Concurrency
import Foundation
import Glibc
import StructuredData
import Synchronization

/// Sends requests over connections of a thread each, in a process of its own, and prints what it measured as JSON.
///
/// With a rate requests are due at random times (a Poisson process), whatever the server does: latencies count from
/// then, so that a server that stalls is charged for all who waited meanwhile.
struct Generator: Sendable {
    struct Order: Sendable {
        var dialect: Dialect
        var port: Int
        /// A `Sample`.
        var sample: String
        var seconds: Int
        /// Requests/s; nil for as many as the connections can.
        var rate: Int?
        var connections = 32
        /// Numbers of requests and completions begin here.
        var first = 0
    }

    struct Times: Sendable {
        var latencies: [BenchRequest.Kind: [Double]] = [:]
        var failures: [String] = []
    }

    private let order: Order
    private let dues: [Double]?
    private let next = Counter()
    private let completions = Counter()

    init(_ order: Order) {
        self.order = order
        dues = order.rate.map { rate in
            var random = Random(seed: UInt64(order.first))
            var (due, dues) = (0.0, [Double]())
            while due < Double(order.seconds) {
                dues.append(due)
                due -= log(1 - random.fraction()) / Double(rate)
            }
            return dues
        }
    }

    func run() async throws {
        // Readers of an Array share it; each thread has a Workload of its own.
        let sample = try Sample(file: order.sample)
        let start = Self.now + 0.1
        let all = try await withThrowingTaskGroup(of: Times.self) { group in
            for _ in 0..<order.connections {
                let workload = Workload(sample: sample, dialect: order.dialect)
                group.addTask { try await runBlocking { try drive(workload, from: start) } }
            }
            return try await group.reduce(into: Times()) { all, part in
                all.failures += part.failures
                all.latencies.merge(part.latencies, uniquingKeysWith: +)
            }
        }
        print(report(all, seconds: Self.now - start).text)
    }

    private func drive(_ workload: Workload, from start: Double) throws -> Times {
        let connection = try HTTPConnection(port: order.port)
        var times = Times()
        var continued: (request: BenchRequest, cursor: String)?
        while true {
            let number = next.take()
            let due: Double
            if let dues {
                guard number < dues.count else { return times }
                due = start + dues[number]
                Self.sleep(until: due)
            } else {
                due = Self.now
                guard due < start + Double(order.seconds) else { return times }
            }
            var request = workload.request(order.first + number) { order.first + completions.take() }
            if request.kind == .list, let (page, cursor) = continued {
                request = page
                request.path += "&cursor=\(cursor)"
                request.isContinued = false
                continued = nil
            }
            let token = workload.sample.people[request.person].token
            let reply = try connection.send(request.method, request.path, token: token, body: request.body)
            times.latencies[request.kind, default: []].append((Self.now - due) * 1000)
            if reply.status != (request.kind == .create ? 201 : 200) {
                times.failures.append(
                    "\(request.method) \(request.path): \(reply.status) \(String(decoding: reply.body.prefix(300), as: UTF8.self))"
                )
            } else if request.isContinued, let cursor = cursor(in: reply.body) {
                continued = (request, cursor)
            }
        }
    }

    /// At the end of a page, or at its beginning.
    private func cursor(in body: ArraySlice<UInt8>) -> String? {
        let name = order.dialect == .ours ? #""nextCursor":""# : #""next_cursor":""#
        let text = String(decoding: body, as: UTF8.self)
        guard let found = text.range(of: name, options: .backwards) else { return nil }
        return text[found.upperBound...].prefix { $0 != "\"" }
            .addingPercentEncoding(withAllowedCharacters: .alphanumerics)
    }

    private func report(_ times: Times, seconds: Double) -> JSON {
        var members: [String: JSON] = [:]
        for (name, values) in times.latencies.map({ ($0.rawValue, $1) }) + [
            ("all", times.latencies.values.flatMap(\.self))
        ] {
            let sorted = values.sorted()
            func percentile(_ share: Double) -> JSON {
                JSON(floatLiteral: sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
            }
            guard !sorted.isEmpty else { continue }
            members[name] = [
                "count": JSON(sorted.count), "p50": percentile(0.5), "p95": percentile(0.95), "p99": percentile(0.99),
            ]
        }
        return [
            "seconds": JSON(floatLiteral: seconds), "failures": JSON(times.failures.count),
            "failure": JSON(times.failures.first ?? ""),
            "times": JSON.object(JSONObject(members.map { (key: $0, value: $1) })),
        ]
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func sleep(until due: Double) {
        var time = timespec(tv_sec: Int(due), tv_nsec: Int((due - due.rounded(.down)) * 1e9))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }
}

/// Gives each number once.
final class Counter: Sendable {
    private let value = Atomic(0)
    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}

extension Generator.Order {
    /// As one argument on the command line.
    var text: String {
        let json: JSON = [
            "dialect": .string(dialect.rawValue), "port": JSON(port), "sample": .string(sample),
            "seconds": JSON(seconds),
            "rate": JSON(rate ?? 0), "connections": JSON(connections), "first": JSON(first),
        ]
        return json.text
    }

    init(_ text: String) throws {
        let json = try JSON(parsing: text)
        func number(_ name: String) -> Int { json[name]?.int ?? 0 }
        guard let dialect = Dialect(rawValue: json["dialect"]?.string ?? ""), let sample = json["sample"]?.string else {
            throw Failure("\(text) is no order")
        }
        self.init(
            dialect: dialect, port: number("port"), sample: sample, seconds: number("seconds"),
            rate: number("rate") == 0 ? nil : number("rate"), connections: number("connections"), first: number("first")
        )
    }
}
