internal import Concurrency
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes
internal import StructuredData

/// The body of a request was too long on its way.
struct UploadTimeout: Error {}

/// How many connections a server has.
final class ConnectionCount: Sendable {
    private let limit: Int
    private let count = Lock(0)

    init(limit: Int) { self.limit = limit }

    /// Whether there is room for one more, which then is counted until `leave`.
    func enter() -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}

/// Holds one connection to its limits; stands between the codec of HTTP and who answers.
///
/// Silence is somebody else's: the idle timer of Hummingbird. That one starts anew with each byte of a body, and rests
/// while an answer is written.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What a client has to take between two looks.
    private static let leastProgress = 16 << 10
    /// What a head counts for: more than most have, and so at worst a look more.
    private static let headBytes = 1 << 10

    private let limits: ConnectionLimits
    private let served: ConnectionCount
    private let refused: ConnectionCount
    /// Where this one is counted.
    private var place: ConnectionCount?
    private var upload: Scheduled<Void>?
    private var look: Scheduled<Void>?
    private var end: Scheduled<Void>?
    /// Nobody listens any more, see `linger`.
    private var isOver = false
    /// Bytes of answers: given to the channel, and of those what the client had taken at the last look.
    private var (written, taken) = (0, 0)

    init(_ limits: ConnectionLimits, served: ConnectionCount, refused: ConnectionCount) {
        self.limits = limits
        self.served = served
        self.refused = refused
    }

    func channelActive(context: ChannelHandlerContext) {
        place = [served, refused].first { $0.enter() }
        if place === served {
            context.fireChannelActive()
        } else if place === refused {
            refuse(context)
        } else {
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        place?.leave()
        place = nil
        for scheduled in [upload, look, end] { scheduled?.cancel() }
        context.fireChannelInactive()
    }

    private func refuse(_ context: ChannelHandlerContext) {
        linger(context)
        let problem = Problem.unavailable("too many connections; try again")
        let body = ByteBuffer(bytes: problem.json.encoded())
        var head = HTTPResponse(status: problem.status, headerFields: problem.headers)
        head.headerFields[.contentType] = "application/problem+json"
        head.headerFields[.contentLength] = "\(body.readableBytes)"
        head.headerFields[.connection] = "close"
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
            bound.value.close(mode: .output, promise: nil)
        }
    }

    // MARK: Uploads

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head: awaitEnd(context)
        case .body: break
        case .end:
            upload?.cancel()
            upload = nil
        }
        context.fireChannelRead(data)
    }

    private func awaitEnd(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        upload = context.eventLoop.scheduleTask(in: TimeAmount(limits.upload)) {
            let (guardian, context) = bound.value
            // Ends the body for who reads it, and is answered 408.
            context.fireErrorCaught(UploadTimeout())
            guardian.closeLater(context)
        }
    }

    // MARK: The end

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .outputClosed { linger(context) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Whoever stops serving a connection does not wait until the client has taken the last answer, and what is closed
    /// drops what was not taken. So only the way out is closed, behind the answer; `requireProgress` sees to the end of
    /// those who take nothing.
    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // A service that may wait no longer ends what it reads.
        if mode == .input, isOver { return context.close(promise: promise) }
        guard mode == .all, written > 0, untaken(context) > 0 else {
            return context.close(mode: mode, promise: promise)
        }
        stopListening()
        lookLater(context)
        context.close(mode: .output, promise: promise)
    }

    private func stopListening() {
        isOver = true
        upload?.cancel()
    }

    /// The last answer is out while its request may still be coming: what comes is read and dropped until the client
    /// closes the connection, for some seconds. A connection that is closed with bytes left to read is reset, and with
    /// that a client that sends all before it reads loses the answer.
    private func linger(_ context: ChannelHandlerContext) {
        stopListening()
        closeLater(context)
        context.read()
    }

    /// Who had listened behind this may have stopped asking for more.
    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        if isOver { context.read() }
    }

    private func closeLater(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        end?.cancel()
        end = context.eventLoop.scheduleTask(in: TimeAmount(limits.farewell)) { bound.value.close(promise: nil) }
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head: written += Self.headBytes
        case .body(let bytes): written += bytes.readableBytes
        case .end: break
        }
        lookLater(context)
        context.write(data, promise: promise)
    }

    private func lookLater(_ context: ChannelHandlerContext) {
        guard look == nil else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        look = context.eventLoop.scheduleTask(in: TimeAmount(limits.progress)) {
            let (guardian, context) = bound.value
            guardian.requireProgress(context)
        }
    }

    private func requireProgress(_ context: ChannelHandlerContext) {
        look = nil
        let waiting = untaken(context)
        guard waiting > 0 else {
            taken = written
            return
        }
        let now = written - waiting
        guard now - taken >= Self.leastProgress else { return context.close(promise: nil) }
        taken = now
        lookLater(context)
    }

    /// Bytes that the client has not taken yet.
    private func untaken(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
