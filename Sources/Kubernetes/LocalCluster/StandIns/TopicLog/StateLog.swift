internal import Concurrency
public import Logging

/// Keys and values of one machine, durable: what a state store is to a cluster. Values are held in memory.
public final class StateLog: Sendable {
    public struct Value: Sendable, Hashable {
        public let bytes: [UInt8]
        /// Another one with each write to the store.
        public let version: Int
        /// Milliseconds since 1970; nil for ever.
        public let expires: Int64?
    }

    public enum Write: Sendable {
        case put(key: String, value: [UInt8], expires: Int64? = nil, condition: Condition = .none)
        case delete(key: String, condition: Condition = .none)

        var key: String {
            switch self {
            case .put(let key, _, _, _), .delete(let key, _): key
            }
        }

        var condition: Condition {
            switch self {
            case .put(_, _, _, let condition), .delete(_, let condition): condition
            }
        }
    }

    /// What must hold of the key for the write to be done.
    public enum Condition: Sendable, Hashable {
        case none
        case absent
        case version(Int)
    }

    public enum Failure: Error, Sendable, Equatable {
        /// A condition did not hold; nothing was written.
        case conflict(key: String)
        case log(TopicLogError)
    }

    private struct State {
        var values: [String: Value] = [:]
        var version = 0
        var liveBytes = 0
        /// The newest segment's base, and where the values that it begins with end.
        var compaction = (base: 0, end: 0)
    }

    private static let smallestSegment = 4 << 20
    private let log: SegmentedLog
    private let state: Lock<State>
    private let now: @Sendable () -> Int64

    /// Reads the folder, which no other process may have open.
    public init(
        folder: String, now: @escaping @Sendable () -> Int64 = TopicLog.wallClock,
        logger: Logger = Logger(label: "state")
    ) throws(TopicLogError) {
        var recovered = State()
        self.now = now
        log = try SegmentedLog(folder, logger: logger) { payload, _ in Self.replay(payload, into: &recovered) }
        state = Lock(recovered)
    }

    /// Returns when all is on the disk; writing fails from then on.
    public func close() async throws(TopicLogError) { try await log.close() }

    public func value(_ key: String) -> Value? {
        let now = now()
        return state.withLock { state in
            state.values[key].flatMap { value in value.expires.map { $0 <= now } ?? false ? Optional.none : value }
        }
    }

    /// Does all of the writes or none, and returns when they are on the disk.
    public func write(_ writes: [Write]) async throws(Failure) {
        guard !writes.isEmpty else { return }
        if let failure = log.failure { throw .log(failure) }
        let now = now()
        let end = try state.withLock { state throws(Failure) -> Int in
            for write in writes {
                let value = state.values[write.key].flatMap { value in
                    value.expires.map { $0 <= now } ?? false ? Optional.none : value
                }
                switch write.condition {
                case .none: break
                case .absent: if value != nil { throw .conflict(key: write.key) }
                case .version(let version): if value?.version != version { throw .conflict(key: write.key) }
                }
            }
            compactIfLarge(&state, now)
            state.version += 1
            let version = state.version
            let place = log.append { Self.encode(writes, version, into: &$0) }
            for write in writes { Self.apply(write, version, to: &state) }
            return place.position + place.length
        }
        do throws(TopicLogError) { try await log.waitUntilDurable(end) } catch { throw .log(error) }
        let compaction = state.withLock { $0.compaction }
        // What could not be removed is tried again with the next write.
        if log.durable >= compaction.end { try? log.removeSegments(before: compaction.base) }
    }

    /// Writes all values anew into a new segment, which stands for those before it.
    private func compactIfLarge(_ state: inout State, _ now: Int64) {
        guard log.segmentSize > max(Self.smallestSegment, 2 * state.liveBytes) else { return }
        log.beginSegment()
        let base = log.end
        state.values = state.values.filter { $0.value.expires.map { $0 > now } ?? true }
        state.liveBytes = state.values.reduce(0) { $0 + $1.key.utf8.count + $1.value.bytes.count }
        for (key, value) in state.values {
            let write = Write.put(key: key, value: value.bytes, expires: value.expires)
            _ = log.append { Self.encode([write], value.version, into: &$0) }
        }
        state.compaction = (base, log.end)
    }

    // MARK: - Records

    /// A record: version, number of writes, then each: kind, key, and of a put the expiry and the value.
    private static func encode(_ writes: [Write], _ version: Int, into bytes: inout [UInt8]) {
        bytes.append(UInt64(version))
        bytes.append(UInt32(writes.count))
        for write in writes {
            switch write {
            case .put(let key, let value, let expires, _):
                bytes.append(UInt8(1))
                bytes.append(text: key)
                bytes.append(expires ?? .max)
                bytes.append(field: value)
            case .delete(let key, _):
                bytes.append(UInt8(0))
                bytes.append(text: key)
            }
        }
    }

    private static func replay(_ payload: UnsafeRawBufferPointer, into state: inout State) -> Bool {
        var reader = FieldReader(payload)
        guard let version = reader.integer(UInt64.self), let count = reader.integer(UInt32.self) else { return false }
        state.version = max(state.version, Int(version))
        for _ in 0..<count {
            guard let kind = reader.integer(UInt8.self), let key = reader.text() else { return false }
            if kind == 0 {
                apply(.delete(key: key), Int(version), to: &state)
                continue
            }
            guard let expires = reader.integer(Int64.self), let value = reader.field() else { return false }
            let write = Write.put(key: key, value: Array(value), expires: expires == .max ? nil : expires)
            apply(write, Int(version), to: &state)
        }
        return true
    }

    private static func apply(_ write: Write, _ version: Int, to state: inout State) {
        if let old = state.values[write.key] { state.liveBytes -= write.key.utf8.count + old.bytes.count }
        switch write {
        case .put(let key, let value, let expires, _):
            state.values[key] = Value(bytes: value, version: version, expires: expires)
            state.liveBytes += key.utf8.count + value.count
        case .delete(let key, _): state.values[key] = nil
        }
    }
}
