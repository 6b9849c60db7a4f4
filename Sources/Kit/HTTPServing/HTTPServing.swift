internal import Concurrency
public import HummingbirdCore
public import Logging
public import NIOCore
public import NIOHTTPTypes

extension HTTPServerBuilder {
    /// HTTP/1.1, each connection closed that the server took and did not get to.
    public static func safeHTTP1(configuration: HTTP1Channel.Configuration = .init()) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            AcceptedChannel(base: HTTP1Channel(responder: responder, configuration: configuration))
        }
    }
}

/// What `base` makes of a connection, as an `AcceptedConnection`.
public struct AcceptedChannel<Base: ServerChildChannel>: ServerChildChannel
where Base.Value == NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
    private let base: Base

    public init(base: Base) { self.base = base }

    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<AcceptedConnection> {
        base.setup(channel: channel, logger: logger).map { AcceptedConnection($0) }
    }

    public func handle(value: AcceptedConnection, logger: Logger) async {
        await base.handle(value: value.take(), logger: logger)
    }
}

/// A connection that is closed when it is let go of before anybody took it: a server that is told to stop lets go of those
/// that it has just accepted, and a `NIOAsyncChannel` that is let go of without having been used ends the process.
public final class AcceptedConnection: ServerChildChannelValue {
    private let connection: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    private let isTaken = Lock(false)

    public init(_ connection: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>) { self.connection = connection }

    public var channel: any Channel { connection.channel }

    /// For whoever reads and writes it from now on, and ends it.
    public func take() -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        isTaken.withLock { $0 = true }
        return connection
    }

    deinit {
        guard !isTaken.withLock({ $0 }) else { return }
        Task { [connection] in try? await connection.executeThenClose { _, _ in } }
    }
}

/// Runs a connection's tasks on its event loop: a request then changes threads only where it waits for something else.
/// On other threads, waking those up costs as much as most requests.
public final class EventLoopTaskExecutor: TaskExecutor {
    private let loop: any EventLoop

    public init(_ loop: any EventLoop) { self.loop = loop }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
