import Foundation

/// All clients connected and idle.
struct Idle {
    let seconds: Double
    let kilobytesEach: Double
}

struct FanOut {
    /// From the delivery of each message to its last receiver, in milliseconds.
    private(set) var milliseconds: [Double] = []
    /// Of the server, in milliseconds.
    private var processorTime = 0.0

    mutating func add(_ milliseconds: [Double], processorTime: Double) {
        self.milliseconds = (self.milliseconds + milliseconds).sorted()
        self.processorTime += processorTime
    }

    /// Milliseconds of processor time that the server spends on a message.
    var processorTimeEach: Double { processorTime / Double(milliseconds.count) }

    func quantile(_ q: Double) -> Double {
        milliseconds[min(milliseconds.count - 1, Int(Double(milliseconds.count) * q))]
    }
}

struct Reconnect {
    /// Until every client has had its `ready`, and until every one has every change.
    let secondsToReady: Double
    let secondsToAll: Double
    let kilobytesEach: Double
}

/// What went wrong with any client at any time.
struct Faults {
    /// Changes that a client never got: it was sent a later one, or told that it has everything.
    var lost = 0
    /// Changes that a client had before.
    var repeated = 0
    /// Connections that the server ended.
    var closed = 0
    var closeCodes: [Int: Int] = [:]
}

/// A swarm at a server, taken through what is measured.
final class Measurement {
    /// How far a client has come.
    private struct Progress {
        /// Its own streams, as its last `ready` names them, up to the number in the one stream that is written.
        var cursorPrefix = ""
        var seq: Int?
        var isReady = false
    }

    private let server: BenchmarkServer
    private let feed: Feed
    private let swarm: Swarm
    private let count: Int
    private var progress: [Progress]
    private var memoryBefore = 0.0
    private var readies = 0
    private var messages = 0
    /// How many have come to `goal`.
    private var arrived = 0
    private var goal = Int.max
    private var faults = Faults()
    /// Where the last message had its number.
    private var seqPlace = 0
    /// Whether the server knows `resume` and `ready`; otherwise nothing is asked of it but to send.
    private let resumes: Bool

    init(_ server: BenchmarkServer, feed: Feed, count: Int, resumes: Bool) {
        self.server = server
        self.feed = feed
        self.count = count
        self.resumes = resumes
        progress = Array(repeating: Progress(), count: count)
        swarm = Swarm(count: count, port: server.port)
        swarm.onMessage = { [unowned self] client, text in took(text, client) }
        swarm.onUpgrade = { [unowned self] client in
            guard resumes else { return }
            let after = progress[client].seq.map { "\"\(progress[client].cursorPrefix)\($0)\"" } ?? "null"
            swarm.send(#"{"type":"resume","after":\#(after)}"#, to: client)
        }
    }

    private func took(_ text: UnsafeRawBufferPointer, _ client: Int) {
        // {"type":"ready",… : the letter tells the types apart.
        if text[9] == UInt8(ascii: "r") {
            tookReady(String(decoding: text, as: UTF8.self), client)
        } else {
            messages += 1
            if resumes, let seq = seq(text) { took(seq, client) }
        }
    }

    private func tookReady(_ json: String, _ client: Int) {
        let cursor = json.split(separator: "\"").dropLast().last ?? ""
        let digits = cursor.split(separator: ":").last ?? ""
        progress[client].cursorPrefix = String(cursor.dropLast(digits.count))
        if let seq = Int(digits) { advance(client, to: seq, lost: seq - (progress[client].seq ?? seq)) }
        if !progress[client].isReady { readies += 1 }
        progress[client].isReady = true
    }

    /// A change or an event; they come one after the other.
    private func took(_ seq: Int, _ client: Int) {
        let before = progress[client].seq ?? seq - 1
        if seq <= before { faults.repeated += 1 } else { advance(client, to: seq, lost: seq - before - 1) }
    }

    private func advance(_ client: Int, to seq: Int, lost: Int) {
        faults.lost += lost
        if seq >= goal, progress[client].seq.map({ $0 < goal }) ?? true { arrived += 1 }
        progress[client].seq = seq
    }

    /// The digits behind a `"seq":`, which may be a string.
    private func seq(_ text: UnsafeRawBufferPointer) -> Int? {
        // Most messages are alike.
        if !Self.isName(at: seqPlace, of: text) {
            guard let place = text.indices.first(where: { Self.isName(at: $0, of: text) }) else { return nil }
            seqPlace = place
        }
        var place = seqPlace + Self.seqName.utf8CodeUnitCount
        if text[place] == UInt8(ascii: "\"") { place += 1 }
        var number = 0
        while place < text.count, case 0x30...0x39 = text[place] {
            number = number * 10 + Int(text[place] - 0x30)
            place += 1
        }
        return number
    }

    private static let seqName: StaticString = #""seq":"#

    private static func isName(at place: Int, of text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress, place + seqName.utf8CodeUnitCount < text.count else { return false }
        return memcmp(start + place, seqName.utf8Start, seqName.utf8CodeUnitCount) == 0
    }

    /// Everybody comes for the first time.
    func connect() throws -> Idle {
        if memoryBefore == 0 { memoryBefore = server.residentKilobytes }
        let start = now()
        try swarm.connectAll(token: { "\($0)" })
        try swarm.run { !resumes || readies == count }
        let seconds = now() - start
        try wait(2)
        return Idle(seconds: seconds, kilobytesEach: kilobytesEach)
    }

    private var kilobytesEach: Double { (server.residentKilobytes - memoryBefore) / Double(count) }

    /// One message after the other, each when all have the one before.
    func broadcast(_ number: Int, into fanOut: inout FanOut) throws {
        var times: [Double] = []
        let used = server.processorMilliseconds
        for _ in 0..<number {
            let body = feed.write()
            let before = messages
            let start = now()
            try swarm.post(server.eventPath, body)
            try swarm.run(seconds: 20) { messages - before >= count }
            times.append((now() - start) * 1000)
            try wait(0.02)
        }
        fanOut.add(times, processorTime: server.processorMilliseconds - used)
    }

    /// All come back at once from where they were; five changes were missed, and ten more happen meanwhile.
    func reconnect() throws -> Reconnect {
        for _ in 0..<5 { _ = feed.write() }
        let start = now()
        readies = 0
        arrived = 0
        goal = feed.last + 10
        for client in progress.indices { progress[client].isReady = false }
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
            if readies == count, secondsToReady == 0 { secondsToReady = now() - start }
            return arrived == count && secondsToReady > 0
        }
        let all = now() - start
        try wait(1)  // for what is sent twice
        return Reconnect(secondsToReady: secondsToReady, secondsToAll: all, kilobytesEach: kilobytesEach)
    }

    private func wait(_ seconds: Double) throws {
        let end = now() + seconds
        try swarm.run { now() >= end }
    }

    /// Everybody leaves at once, without a word.
    func leave() { swarm.closeAll() }

    /// Of all that was sent until now.
    func faultsSoFar() -> Faults {
        var faults = faults
        faults.closed = swarm.lost
        faults.closeCodes = swarm.closeCodes
        if resumes { faults.lost += progress.reduce(0) { $0 + feed.last - ($1.seq ?? 0) } }
        return faults
    }
}
