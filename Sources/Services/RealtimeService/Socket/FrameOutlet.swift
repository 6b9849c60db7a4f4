internal import NIOCore

/// Writes whole frames. It stands at the head of the pipeline, so that a frame which goes to thousands of connections passes
/// no handler that would encode it again.
final class FrameOutlet: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Whether the client has read enough of what was sent for more to be sent.
    var hasRoom: Bool { context?.channel.isWritable ?? false }

    func write(_ frame: ByteBuffer) { context?.write(Self.wrapOutboundOut(frame), promise: nil) }
    func flush() { context?.flush() }

    /// Sends `frame`, and closes the socket when it has been sent.
    func finish(_ frame: ByteBuffer) {
        guard let context else { return }
        let bound = context.loopBound
        context.writeAndFlush(Self.wrapOutboundOut(frame)).whenComplete { _ in bound.value.close(promise: nil) }
    }

    func disconnect() { context?.close(promise: nil) }
}
