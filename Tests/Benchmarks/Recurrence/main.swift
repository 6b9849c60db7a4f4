import ChildProcess
import Foundation
import Recurrence
import StructuredData

// Instances a second on one core, and how long the next instance ten years on takes, for a mixed set of rules
// (Peers/recurrence/rules.txt) in a zone with summer time; beside it python-dateutil and libical, when they are installed.
//
//     swift run -c release recurrence-bench
//
// Claims: >= 5,000,000 instances a second; next instance ten years on <= 2 us median, <= 50 us p99.

let peers = "Peers/recurrence"
let rules = try String(contentsOfFile: "\(peers)/rules.txt", encoding: .utf8).split(separator: "\n").map(
    String.init)

guard let zone = ZoneTable.named("America/New_York"), let start = LocalDateTime("1997-09-02T09:00:00") else {
    fatalError("the time zone database is missing")
}
let sets = try rules.map { try RecurrenceSet(start: start, zone: zone, rule: try RecurrenceRule($0)) }
let clock = ContinuousClock()

struct Figures {
    var rate: Double
    var median: Double
    var p99: Double
}

/// The same number of instances of each rule.
func walk(_ set: RecurrenceSet, _ count: Int) -> Int {
    var sum = 0
    var iterator = set.occurrences.makeIterator()
    for _ in 0..<count {
        guard let occurrence = iterator.next() else { break }
        sum &+= occurrence.instant
    }
    return sum
}

func measure() -> Figures {
    let count = 2000
    var sum = 0
    // The best of many short rounds, for a machine that has other things to do.
    let spent =
        (0..<50).map { _ in clock.measure { for set in sets { sum &+= walk(set, count) } } }.min() ?? .seconds(1)
    var times: [Double] = []
    var random = SystemRandomNumberGenerator()
    let later = start.seconds + 3652 * 86_400
    for _ in 0..<2000 {
        for set in sets {
            let instant = later + Int.random(in: 0..<365 * 86_400, using: &random)
            let begin = clock.now
            sum &+= set.next(after: instant)?.instant ?? 0
            times.append((clock.now - begin) / .microseconds(1))
        }
    }
    times.sort()
    precondition(sum != 0)
    return Figures(
        rate: Double(count * sets.count) / (spent / .seconds(1)), median: times[times.count / 2],
        p99: times[times.count * 99 / 100])
}

/// What a peer prints; nil when it is not installed.
func peer(_ script: String) async -> Figures? {
    var specification = ChildProcess.Specification(
        path: "/bin/sh", arguments: ["-c", script], environment: ProcessInfo.processInfo.environment)
    specification.workingDirectory = peers
    guard case .ended(.exited(0), let output) = try? await ChildProcess.capture(specification),
        let json = try? JSON(parsing: String(decoding: output, as: UTF8.self)), let rate = json["rate"]?.double,
        let median = json["median"]?.double, let p99 = json["p99"]?.double
    else { return nil }
    return Figures(rate: rate, median: median, p99: p99)
}

func report(_ name: String, _ figures: Figures?) {
    guard let figures else { return print("\(name): not installed") }
    let values = String(
        format: "%.0f instances/s; next after ten years: median %.2f us, p99 %.2f us", figures.rate, figures.median,
        figures.p99)
    print("\(name): \(values)")
}

report("ours", measure())
report("python-dateutil", await peer("exec python3 dateutil_peer.py rules.txt 2>/dev/null"))
report(
    "libical",
    await peer(
        """
        program=$(mktemp) && cc -O2 -o "$program" libical_peer.c $(pkg-config --cflags --libs libical) 2>/dev/null \
        && "$program" rules.txt; status=$?; rm -f "$program"; exit $status
        """))
