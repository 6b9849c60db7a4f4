import FoundationEssentials
import NIOCore
import StructuredData
import TodoModel

@testable import RealtimeService

extension UUID {
    var text: String { uuidString.lowercased() }
}

extension StreamCursor: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral elements: (UUID, Int)...) {
        self.init()
        for (stream, seq) in elements { advance(stream, to: seq) }
    }
}

/// A connection's state with a clock that is turned by hand, and its actions in words.
struct Harness {
    var state: ConnectionState
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    /// - Parameter age: for how long events have come in.
    init(
        credential: Credential? = .token("t"), rules: ConnectionRules = ConnectionRules(), age: TimeAmount = .hours(1)
    ) {
        state = ConnectionState(rules: rules, credential: credential, spread: 1, suppliedSince: now - age, now: now)
    }

    static func catchingUp(rules: ConnectionRules = ConnectionRules(), age: TimeAmount = .hours(1)) -> Harness {
        var harness = Harness(rules: rules, age: age)
        _ = harness.does { $0.receive(#"{"type":"resume","after":null}"#, at: $1) }
        _ = harness.does { $0.identified(at: $1) }
        return harness
    }

    static func live(_ cursor: StreamCursor, age: TimeAmount = .hours(1)) -> Harness {
        var harness = catchingUp(age: age)
        _ = harness.finishCatchUp(cursor)
        return harness
    }

    mutating func does(_ body: (inout ConnectionState, NIODeadline) -> [ConnectionState.Action]) -> [String] {
        body(&state, now).map(\.words)
    }

    mutating func after(_ time: TimeAmount) -> [String] {
        now = now + time
        return does { $0.tick(at: $1) }
    }

    /// The last page comes, and the client reads it.
    mutating func finishCatchUp(_ cursor: StreamCursor, sends: Bool = false) -> [String] {
        let page = ChangesPage(
            frames: sends ? ByteBuffer(string: "items") : ByteBuffer(), count: sends ? 1 : 0, cursor: cursor)
        _ = does { $0.received(page, at: $1) }
        return does { $0.proceed(at: $1) }.map { text in
            if text.contains(#""ready""#) { return "ready" }
            if let event = Self.event(in: text) { return event }
            return text
        }
    }

    mutating func deliver(
        _ stream: UUID, _ seq: Int, from: Int, opens: Bool = false, hasRoom: Bool = true
    ) -> [String] {
        let event = LiveEvent.sample(stream, seq, kind: opens ? .projectShared : .taskCreated, from: from)
        switch state.deliver(event, hasRoom: hasRoom, at: now) {
        case .skip: return []
        case .write: return ["event \(seq)"]
        case .act(let actions): return actions.map(\.words)
        }
    }

    private static func event(in text: String) -> String? {
        guard let json = try? JSON(parsing: text.dropFirst("send ".count)) else { return nil }
        return json["event"]?["data"]?["seq"]?.int.map { "event \($0)" }
    }
}

extension TodoEvent {
    static func sample(
        _ stream: UUID, _ seq: Int, kind: Kind = .taskCreated, members: [UUID]? = nil, body: JSON = ["title": "x"]
    ) -> TodoEvent {
        TodoEvent(
            id: UUID(), kind: kind, user: stream, actor: stream, seq: seq, time: .now(), members: members ?? [stream],
            subject: UUID(), body: body)
    }
}

extension LiveEvent {
    static func sample(
        _ stream: UUID, _ seq: Int, kind: TodoEvent.Kind = .taskCreated, from: Int
    ) -> LiveEvent {
        let event = TodoEvent.sample(stream, seq, kind: kind)
        return LiveEvent(event, frame: ServerFrame.event(event), unbrokenFrom: from)
    }
}

extension ConnectionState.Action {
    var words: String {
        switch self {
        case .identify(let credential): "identify \(credential)"
        case .subscribe: "subscribe"
        case .fetch(_, let cursor, let cause): "fetch \(cursor.text)" + (cause.map { " \($0)" } ?? "")
        case .check(_, let cursor): "check \(cursor.text)"
        case .send(let frame) where frame == ServerFrame.ping: "ping"
        case .send(let frame): "send \(Self.text(of: frame))"
        case .proceed: "proceed"
        case .close(let reason): "close \(reason.code)"
        case .closeBack(let code): "closeBack \(code.map(String.init) ?? "")"
        case .disconnect: "disconnect"
        }
    }

    /// Of a frame its payload; of what is none, all of it.
    private static func text(of frame: ByteBuffer) -> String {
        var frame = frame
        if frame.getInteger(at: frame.readerIndex, as: UInt8.self) == 0x81 {
            let length = frame.getInteger(at: frame.readerIndex + 1, as: UInt8.self) ?? 0
            frame.moveReaderIndex(forwardBy: length < 126 ? 2 : length == 126 ? 4 : 10)
        }
        return String(buffer: frame)
    }
}

extension Harness {
    static func parsed(_ text: some StringProtocol) -> JSON { (try? JSON(parsing: text)) ?? .null }
}
