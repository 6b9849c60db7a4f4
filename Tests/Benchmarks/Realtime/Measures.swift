import Foundation

/// All clients connected and idle.
struct Idle {
    let seconds: Double
    let kilobytesEach: Double
}

struct FanOut {
    /// From the delivery of each message to its last receiver, in milliseconds, ascending.
    let milliseconds: [Double]

    func quantile(_ q: Double) -> Double {
        milliseconds[min(milliseconds.count - 1, Int(Double(milliseconds.count) * q))]
    }
}

struct Reconnect {
    let secondsToReady: Double
    let secondsToAll: Double
    var lost = 0
    var repeated = 0
}

/// A swarm at a server, taken through what is measured.
final class Measurement {
    private let server: BenchmarkServer
    private let feed: Feed
    private let swarm: Swarm
    private let count: Int
    /// Of each client, the cursor of its last `ready`.
    private var cursors: [String]
    private var readies = 0
    private var messages = 0
    /// Of each client, the numbers that came, when they are looked at.
    private var seen: [[Int]]
    private var looksAtNumbers = false
    private let expectsReady: Bool

    init(_ server: BenchmarkServer, feed: Feed, count: Int, expectsReady: Bool) {
        self.server = server
        self.feed = feed
        self.count = count
        self.expectsReady = expectsReady
        cursors = Array(repeating: "", count: count)
        seen = Array(repeating: [], count: count)
        swarm = Swarm(count: count, port: server.port)
        swarm.onMessage = { [unowned self] client, text in took(text, client) }
        swarm.onUpgrade = { [unowned self] client in
            guard expectsReady else { return }
            let after = cursors[client].isEmpty ? "null" : "\"\(cursors[client])\""
            swarm.send(#"{"type":"resume","after":\#(after)}"#, to: client)
        }
    }

    private func took(_ text: UnsafeRawBufferPointer, _ client: Int) {
        // {"type":"ready",… : the letter tells the types apart.
        switch text[9] {
        case UInt8(ascii: "r"):
            readies += 1
            let json = String(decoding: text, as: UTF8.self)
            cursors[client] = json.split(separator: "\"").dropLast().last.map(String.init) ?? ""
        default:
            messages += 1
            if looksAtNumbers, let seq = Self.seq(text) { seen[client].append(seq) }
        }
    }

    /// The digits behind the first `"seq":`.
    private static func seq(_ text: UnsafeRawBufferPointer) -> Int? {
        let json = String(decoding: text, as: UTF8.self)
        guard let range = json.range(of: #""seq":"#) else { return nil }
        return Int(json[range.upperBound...].drop { $0 == "\"" }.prefix { $0.isNumber })
    }

    func connect() throws -> Idle {
        let before = server.residentKilobytes
        let start = now()
        try swarm.connectAll(token: { "\($0)" })
        try swarm.run { !expectsReady || readies == count }
        let seconds = now() - start
        try wait(2)
        return Idle(seconds: seconds, kilobytesEach: (server.residentKilobytes - before) / Double(count))
    }

    /// One message after the other, each when all have the one before.
    func broadcast(_ number: Int) throws -> FanOut {
        var times: [Double] = []
        for _ in 0..<number {
            let body = feed.write()
            let before = messages
            let start = now()
            try swarm.post(server.eventPath, body)
            try swarm.run(seconds: 20) { messages - before >= count }
            times.append((now() - start) * 1000)
            try wait(0.02)
        }
        return FanOut(milliseconds: times.sorted())
    }

    /// All leave at once; five changes later they come back, while ten more happen.
    func reconnect() throws -> Reconnect {
        swarm.closeAll()
        let first = Int(String(cursors[0].split(separator: ":").last ?? "")) ?? 0
        for _ in 0..<5 { _ = feed.write() }
        looksAtNumbers = true
        (readies, messages) = (0, 0)
        let start = now()
        var writes = 0
        func write() throws {
            guard writes < 10, now() - start > Double(writes) * 0.2 else { return }
            writes += 1
            try swarm.post(server.eventPath, feed.write())
        }
        try swarm.connectAll(token: { "\($0)" }, meanwhile: write)
        var secondsToReady = 0.0
        try swarm.run {
            try write()
            if readies >= count, secondsToReady == 0 { secondsToReady = now() - start }
            return writes == 10 && messages >= 15 * count && secondsToReady > 0
        }
        let all = now() - start
        try wait(1)
        var reconnect = Reconnect(secondsToReady: secondsToReady, secondsToAll: all)
        for numbers in seen {
            let expected = Set(first + 1...first + 15)
            reconnect.lost += expected.subtracting(numbers).count
            reconnect.repeated += numbers.count - Set(numbers).count
        }
        return reconnect
    }

    private func wait(_ seconds: Double) throws {
        let end = now() + seconds
        try swarm.run { now() >= end }
    }

    func finish() { swarm.closeAll() }
}
