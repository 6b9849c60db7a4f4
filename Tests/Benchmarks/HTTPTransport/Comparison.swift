import Glibc

/// One HTTP client: `get` returns the number of body bytes.
protocol BenchmarkClient: Sendable {
    var name: String { get }
    func get(_ url: String) async throws -> Int
    func shutdown() async throws
}

struct Measurement {
    let requestsPerSecond: Double
    let microsecondsOfCPU: Double
}

func compare(
    _ clients: [any BenchmarkClient], url: String, inFlight: [Int], secondsPerRound: Double, rounds: Int
) async throws {
    print("load: \(loadAverage()); \(rounds) rounds of \(secondsPerRound) s, medians")
    print("in flight  client                 req/s   of the last  CPU µs/request")
    for inFlight in inFlight {
        for client in clients { _ = try await measure(client, url, inFlight, seconds: secondsPerRound / 4) }
        var results = clients.map { _ in [Measurement]() }
        for _ in 0..<rounds {
            for (index, client) in clients.enumerated() {
                results[index].append(try await measure(client, url, inFlight, seconds: secondsPerRound))
            }
        }
        for (client, measurements) in zip(clients, results) {
            report(inFlight, client, measurements, results.last ?? [])
        }
    }
    for client in clients { try await client.shutdown() }
    print("load: \(loadAverage())")
}

private func report(
    _ inFlight: Int, _ client: any BenchmarkClient, _ measurements: [Measurement], _ base: [Measurement]
) {
    let rate = median(measurements.map(\.requestsPerSecond))
    let ratio = median(zip(measurements, base).map { $0.requestsPerSecond / $1.requestsPerSecond })
    let cpu = median(measurements.map(\.microsecondsOfCPU))
    print(
        padded("\(inFlight)", 9), " ", client.name.padding(to: 18), padded("\(Int(rate))", 9),
        padded("\((ratio * 100).rounded() / 100)x", 13), padded("\((cpu * 10).rounded() / 10)", 15))
}

private func measure(
    _ client: any BenchmarkClient, _ url: String, _ inFlight: Int, seconds: Double
) async throws -> Measurement {
    let clock = ContinuousClock()
    let start = clock.now
    let end = start + .seconds(seconds)
    let cpuBefore = cpuSeconds()
    let requests = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<inFlight {
            group.addTask {
                var count = 0
                while clock.now < end {
                    guard try await client.get(url) == BenchmarkServer.bodyBytes else { throw WrongAnswer() }
                    count += 1
                }
                return count
            }
        }
        return try await group.reduce(0, +)
    }
    let elapsed = start.duration(to: clock.now) / .seconds(1)
    return Measurement(
        requestsPerSecond: Double(requests) / elapsed,
        microsecondsOfCPU: (cpuSeconds() - cpuBefore) / Double(max(1, requests)) * 1_000_000)
}

struct WrongAnswer: Error {}

/// Processes that wanted a CPU in the last 1, 5 and 15 minutes.
private func loadAverage() -> String {
    var loads = [Double](repeating: 0, count: 3)
    guard getloadavg(&loads, 3) == 3 else { return "unknown" }
    return loads.map { "\(($0 * 100).rounded() / 100)" }.joined(separator: " ")
}

private func cpuSeconds() -> Double {
    var usage = rusage()
    getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1_000_000
}

private func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
}

private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
