/// When one request has taken too long: pure. Times are durations since a start that the caller keeps.
struct Deadlines: Sendable {
    private let idle: Duration?
    private let connectBy: Duration?
    private let doneBy: Duration?
    private var isConnected = false
    private(set) var isHeld = false
    private var lastByte: Duration

    init(start: Duration, connect: Duration?, idle: Duration?, total: Duration?) {
        self.idle = idle
        connectBy = connect.map { start + $0 }
        doneBy = total.map { start + $0 }
        lastByte = start
    }

    /// A connection is there and the request is about to be sent.
    mutating func connected(at now: Duration) {
        isConnected = true
        lastByte = now
    }

    /// A byte went in either direction.
    mutating func moved(at now: Duration) { lastByte = now }

    /// The reader does not read: silence is not the server's then.
    mutating func held() { isHeld = true }

    mutating func resumed(at now: Duration) {
        isHeld = false
        lastByte = now
    }

    /// How long before `now` the last byte went in either direction, or the reader last read.
    func silence(at now: Duration) -> Duration { isHeld ? .zero : now - lastByte }

    /// The earliest moment at which `expired` may say something; later bytes only move it back.
    var next: Duration? {
        let idleAt = isConnected && !isHeld ? idle.map { lastByte + $0 } : nil
        let connectAt = isConnected ? nil : connectBy
        return [idleAt, connectAt, doneBy].compactMap(\.self).min()
    }

    func expired(at now: Duration) -> HTTPTransportError.Timeout? {
        if let doneBy, doneBy <= now { return .total }
        if !isConnected { return connectBy.map { $0 <= now } == true ? .connect : nil }
        guard let idle, silence(at: now) >= idle else { return nil }
        return .idle
    }
}
