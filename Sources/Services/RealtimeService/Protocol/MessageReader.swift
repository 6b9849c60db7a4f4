internal import NIOCore
internal import NIOWebSocket

/// Makes messages of a client's frames and refuses what RFC 6455 forbids, with the code that it names.
///
/// Lengths, and that control frames are short and whole, are checked by the frame decoder before.
struct MessageReader {
    /// Bytes of a message: a cursor of 1,500 streams fits.
    static let limit = 64 << 10

    enum Result: Equatable {
        case text(String)
        case ping(ByteBuffer)
        case pong
        /// The client says goodbye, with this code.
        case close(UInt16?)
        /// The rest of the message is still to come.
        case partial
        case violation(CloseReason)
    }

    /// The fragments of a text so far.
    private var fragments: ByteBuffer?

    mutating func read(_ frame: WebSocketFrame) -> Result {
        guard frame.maskKey != nil else { return .violation(.protocolError("frames of a client are masked")) }
        guard frame.reservedBits.isEmpty else { return .violation(.protocolError("no extension was agreed on")) }
        switch frame.opcode {
        case .text where fragments == nil, .continuation where fragments != nil: return read(fragment: frame)
        case .text: return .violation(.protocolError("a text began inside another message"))
        case .continuation: return .violation(.protocolError("nothing is there to be continued"))
        case .binary: return .violation(.binary)
        case .ping: return .ping(frame.unmaskedData)
        case .pong: return .pong
        case .connectionClose: return Self.read(close: frame.unmaskedData)
        default: return .violation(.protocolError("the opcode is reserved"))
        }
    }

    private mutating func read(fragment frame: WebSocketFrame) -> Result {
        var message = frame.unmaskedData
        if var before = fragments {
            fragments = nil
            before.writeBuffer(&message)
            message = before
        }
        guard message.readableBytes <= Self.limit else { return .violation(.tooBig) }
        guard frame.fin else {
            fragments = message
            return .partial
        }
        guard let text = String(validating: message.readableBytesView, as: UTF8.self) else {
            return .violation(.notUTF8)
        }
        return .text(text)
    }

    /// Section 5.5.1: nothing, or a code and a text. Section 7.4: which codes may be sent.
    private static func read(close payload: ByteBuffer) -> Result {
        var payload = payload
        guard payload.readableBytes > 0 else { return .close(nil) }
        guard let code = payload.readInteger(as: UInt16.self) else {
            return .violation(.protocolError("a close code has two bytes"))
        }
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: return .violation(.protocolError("\(code) is no code to close with"))
        }
        guard String(validating: payload.readableBytesView, as: UTF8.self) != nil else { return .violation(.notUTF8) }
        return .close(code)
    }
}
