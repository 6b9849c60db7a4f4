internal import HTTPTransport

/// An open watch: an asynchronous sequence of events, to be iterated once, by one task at a time.
///
/// It ends when the server ends it (`timeoutSeconds`), after an `.error` event, or by throwing `APIError`: `isTimeout`
/// when neither the server ended it nor the connection broke before the client's deadline. Cancelling the reading
/// task, or dropping the stream, closes the connection. Events that are not read hold the server back.
public struct WatchStream: AsyncSequence, Sendable {
    public typealias Element = WatchEvent
    public typealias Failure = APIError

    let body: ResponseBody
    let failure: @Sendable (HTTPTransportError) -> APIError

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(chunks: body.makeAsyncIterator(), failure: failure)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        var chunks: ResponseBody.AsyncIterator
        let failure: @Sendable (HTTPTransportError) -> APIError
        var decoder = WatchDecoder()
        /// Decoded and not yet read, the next one last.
        var events: [WatchEvent] = []
        var ended = false

        public mutating func next() async throws(APIError) -> WatchEvent? { try await next(isolation: nil) }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(APIError) -> WatchEvent? {
            while true {
                if let event = events.popLast() {
                    if case .error = event { end(with: nil) }
                    return event
                }
                guard !ended else { return nil }
                let chunk: [UInt8]?
                do { chunk = try await chunks.next(isolation: actor) } catch { throw failure(error) }
                if let chunk {
                    events = decoder.feed(chunk).reversed()
                } else {
                    end(with: decoder.finish())
                }
            }
        }

        private mutating func end(with last: WatchEvent?) {
            ended = true
            events = last.map { [$0] } ?? []
        }
    }
}
