import FoundationEssentials
import NIOCore
import StructuredData
import Testing
import TodoModel

@testable import RealtimeService

/// Nothing lost, nothing twice, whatever comes in which order: events that are late, lost and delivered again, pages read
/// before and after them, and checks.
@Suite struct HandOverTests {
    @Test(arguments: 0..<500)
    func `every change that a person may see arrives once`(_ seed: Int) {
        var world = World(seed: UInt64(seed))
        for _ in 0..<200 { world.step() }
        world.settle()
        let lost = Set(world.visible).subtracting(world.received)
        let isRepeated = Set(world.received).count < world.received.count
        #expect(lost.isEmpty && !isRepeated, "seed \(seed)")
    }
}

private struct World {
    struct Entry {
        let stream: UUID
        let seq: Int
        let isVisible: Bool
    }

    private let me = UUID()
    private let friend = UUID()
    private var random: SplitMix
    /// What is in the database.
    private var entries: [Entry] = []
    /// What is on its way to this process, in order for each stream.
    private var inFlight: [UUID: [Entry]] = [:]
    private var log = StreamLog()
    private var it: Harness
    private var question: (after: StreamCursor, isCheck: Bool)?
    private var wantsToRead = false
    private(set) var received: [String] = []

    var visible: [String] { entries.filter(\.isVisible).map { "\($0.stream) \($0.seq)" } }

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        it = Harness(rules: ConnectionRules(heldEvents: 3))
        _ = it.does { $0.identified(at: $1) }
        for _ in 0..<Int.random(in: 0...5, using: &random) { write() }
        run { state, now in state.receive(#"{"type":"resume","after":null}"#, at: now) }
    }

    mutating func step() {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: write()
        case 3...5: deliver()
        case 6, 7: answer()
        case 8: read()
        default:
            read()  // in time
            _ = it.state.heardFrame(at: it.now)
            it.now = it.now + .seconds(Int64.random(in: 1...25, using: &random))
            run { $0.tick(at: $1) }
        }
    }

    /// No more writes; all that is under way arrives, and a check comes by.
    mutating func settle() {
        while inFlight.values.contains(where: { !$0.isEmpty }) { deliver() }
        for _ in 0..<10 {
            while question != nil || wantsToRead {
                answer()
                read()
            }
            _ = it.state.heardFrame(at: it.now)
            it.now = it.now + .seconds(21)
            run { $0.tick(at: $1) }
        }
    }

    private mutating func write() {
        let stream = Bool.random(using: &random) ? me : friend
        let seq = (entries.last { $0.stream == stream }?.seq ?? 0) + 1
        let entry = Entry(stream: stream, seq: seq, isVisible: stream == me || Bool.random(using: &random))
        entries.append(entry)
        if Int.random(in: 0..<12, using: &random) > 0 { inFlight[stream, default: []].append(entry) }
    }

    private mutating func deliver() {
        let stream = Bool.random(using: &random) ? me : friend
        guard let entry = inFlight[stream]?.first else { return }
        // At least once: the broker may not have noticed that it was taken.
        if Int.random(in: 0..<6, using: &random) > 0 { inFlight[stream]?.removeFirst() }
        guard let from = log.note(entry.stream, entry.seq), entry.isVisible else { return }
        let event = LiveEvent.sample(entry.stream, entry.seq, from: from)
        let hasRoom = Int.random(in: 0..<10, using: &random) > 0
        switch it.state.deliver(event, hasRoom: hasRoom, at: it.now) {
        case .skip: if !hasRoom { wantsToRead = true }
        case .write: received.append("\(entry.stream) \(entry.seq)")
        case .act(let actions): perform(actions)
        }
    }

    private mutating func answer() {
        guard let (after, isCheck) = question else { return }
        question = nil
        var frames = ByteBuffer()
        var count = 0
        var cursor = after
        let limit = Int.random(in: 1...4, using: &random)
        // The friend's stream is read as far as it goes, or as far as there is something to see of it.
        let seesAll = Bool.random(using: &random)
        cursor.advance(me, to: after[me] ?? 0)
        cursor.advance(friend, to: after[friend] ?? 0)
        for entry in entries where entry.seq > (after[entry.stream] ?? 0) && count < limit {
            if entry.isVisible {
                frames.writeString("\(entry.stream) \(entry.seq)\n")
                count += 1
            }
            if entry.isVisible || seesAll { cursor.advance(entry.stream, to: entry.seq) }
        }
        let hasMore = entries.contains { $0.isVisible && $0.seq > (cursor[$0.stream] ?? 0) }
        let page = ChangesPage(frames: frames, count: count, cursor: cursor, hasMore: hasMore)
        run { isCheck ? $0.checked(page, at: $1) : $0.received(page, at: $1) }
    }

    private mutating func read() {
        guard wantsToRead else { return }
        wantsToRead = false
        run { $0.proceed(at: $1) }
    }

    private mutating func run(_ body: (inout ConnectionState, NIODeadline) -> [ConnectionState.Action]) {
        perform(body(&it.state, it.now))
    }

    private mutating func perform(_ actions: [ConnectionState.Action]) {
        for action in actions {
            switch action {
            case .fetch(_, let after, _): question = (after, false)
            case .check(_, let after): if question == nil { question = (after, true) }
            case .proceed: wantsToRead = true
            case .send(let frame): note(frame)
            case .close(let reason): Issue.record("closed: \(reason)")
            case .identify, .subscribe, .closeBack, .disconnect: break
            }
        }
    }

    private mutating func note(_ frame: ByteBuffer) {
        if frame == ServerFrame.ping { return }
        let text = String(buffer: frame)
        guard let start = text.firstIndex(of: "{") else {
            received += text.split(separator: "\n").map(String.init)
            return
        }
        guard let event = Harness.parsed(text[start...])["event"], let data = event["data"],
            let stream = data["user"]?.string.flatMap({ UUID(uuidString: $0) }), let seq = data["seq"]?.int
        else { return }
        received.append("\(stream) \(seq)")
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
