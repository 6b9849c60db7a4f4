internal import Glibc
internal import NIOCore

/// Writes whole frames. It stands at the head of the pipeline, so that a frame which goes to thousands of connections passes
/// no handler that would encode it again.
final class FrameOutlet: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var channel: (any Channel)?
    private var socket: NIOBSDSocket.Handle?
    /// Whether the channel may have bytes that the socket has not taken yet.
    private var mayBeBehind = true

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        channel = context.channel
        socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            $0
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        channel = nil
        socket = nil
    }

    /// Whether the client has read enough of what was sent for more to be sent.
    var hasRoom: Bool { !mayBeBehind || channel?.isWritable ?? false }

    func write(_ frame: ByteBuffer) {
        mayBeBehind = true
        context?.write(Self.wrapOutboundOut(frame), promise: nil)
    }

    func flush() { context?.flush() }

    /// Writes `frame` and flushes. When nothing waits before it, it goes to the socket at once: the way through the channel
    /// costs half as much again as the system call, and a message to everybody takes it thousands of times.
    func send(_ frame: ByteBuffer) {
        let sent = sendAtOnce(frame)
        guard sent < frame.readableBytes,
            let rest = frame.getSlice(at: frame.readerIndex + sent, length: frame.readableBytes - sent)
        else { return }
        // The channel waits for room, or finds out what is wrong.
        write(rest)
        flush()
    }

    /// How many bytes the socket took.
    private func sendAtOnce(_ frame: ByteBuffer) -> Int {
        // Once the channel has closed its socket, and is not active any more, the descriptor may be another's.
        guard let socket, let channel, channel.isActive, !isBehind(channel) else { return 0 }
        return max(0, frame.withUnsafeReadableBytes { Glibc.send(socket, $0.baseAddress, $0.count, Self.sendFlags) })
    }

    private static let sendFlags = Int32(truncatingIfNeeded: MSG_NOSIGNAL | MSG_DONTWAIT)

    private func isBehind(_ channel: any Channel) -> Bool {
        if mayBeBehind {
            mayBeBehind = (try? channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)) != 0
        }
        return mayBeBehind
    }

    /// Sends `frame`, and closes the socket when it has been sent.
    func finish(_ frame: ByteBuffer) {
        guard let context else { return }
        mayBeBehind = true
        let bound = context.loopBound
        context.writeAndFlush(Self.wrapOutboundOut(frame)).whenComplete { _ in bound.value.close(promise: nil) }
    }

    func disconnect() { context?.close(promise: nil) }
}
