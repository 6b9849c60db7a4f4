internal import HTTPTypes

/// The head of a response, parsed or as it came.
enum ResponseHead: Sendable {
    /// Status line and header lines, each with its line end. Parsed by the reader, to keep a reactor's thread free.
    case raw([UInt8])
    case parsed(HTTPResponse.Status, HTTPFields)
    /// Of a mail: what the server said last.
    case reply(SMTPReply)
}

/// What is known of one response between the side that receives it and the side that reads it: pure.
///
/// The order is head, bytes, outcome. A connection that breaks hands out what came before it; a transfer that the
/// reader's own side ended (`cancel`) hands out nothing more.
struct ExchangeState: Sendable {
    enum Reception: Equatable {
        case taken
        /// Nothing was taken: offer the same bytes again when the reader asks for more.
        case full
        /// Nobody will read on: end the transfer.
        case unwanted
    }

    enum Reading: Sendable {
        /// `resumesSender`: the receiving side was told `full` and has to be told that there is room.
        case chunk([UInt8], resumesSender: Bool)
        case end
        case failed(HTTPTransportError)
        case nothingYet
    }

    private let bufferLimit: Int
    private var head: ResponseHead?
    private var buffer: [UInt8] = []
    private var isSenderHeld = false
    private var outcome: Result<Void, HTTPTransportError>?

    /// Past `bufferLimit` unread bytes the sender is held.
    init(bufferLimit: Int) { self.bufferLimit = bufferLimit }

    var isFinished: Bool { outcome != nil }

    /// Whether a reader that asks now gets something.
    var hasNews: Bool { head != nil || !buffer.isEmpty || outcome != nil }

    // MARK: The receiving side

    mutating func receive(head: ResponseHead) {
        guard outcome == nil else { return }
        self.head = head
    }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) -> Reception {
        guard outcome == nil else { return .unwanted }
        guard buffer.count < bufferLimit else {
            isSenderHeld = true
            return .full
        }
        buffer.append(contentsOf: bytes)
        return .taken
    }

    /// The first outcome stays.
    mutating func finish(_ result: Result<Void, HTTPTransportError>) {
        if outcome == nil { outcome = result }
    }

    // MARK: The reading side

    /// Ends the exchange from the reader's side. Returns whether there is a transfer to end.
    mutating func cancel(_ error: HTTPTransportError) -> Bool {
        let wasRunning = outcome == nil
        head = nil
        buffer = []
        outcome = .failure(error)
        return wasRunning
    }

    /// The head, once; nil when it is not there yet.
    mutating func takeHead() -> Result<ResponseHead, HTTPTransportError>? {
        if let head {
            self.head = nil
            return .success(head)
        }
        switch outcome {
        case .failure(let error): return .failure(error)
        case .success: return .failure(.connectionLost("the connection ended before a response"))
        case nil: return nil
        }
    }

    /// All unread bytes as one chunk.
    mutating func takeChunk() -> Reading {
        if !buffer.isEmpty {
            let chunk = buffer
            buffer = []
            defer { isSenderHeld = false }
            return .chunk(chunk, resumesSender: isSenderHeld && outcome == nil)
        }
        switch outcome {
        case .failure(let error): return .failed(error)
        case .success: return .end
        case nil: return .nothingYet
        }
    }
}
