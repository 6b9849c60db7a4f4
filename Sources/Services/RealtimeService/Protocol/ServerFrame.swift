internal import NIOCore
internal import NIOWebSocket
internal import StructuredData
internal import TodoModel

/// What the server sends, as whole frames: made once, written to any number of connections.
enum ServerFrame {
    static let ping = ByteBuffer(bytes: [0x89, 0x00])

    static func pong(_ payload: ByteBuffer) -> ByteBuffer { frame(.pong, Array(payload.readableBytesView)) }

    static func close(_ reason: CloseReason) -> ByteBuffer {
        frame(.connectionClose, [UInt8(reason.code >> 8), UInt8(reason.code & 0xff)] + Array(reason.text.utf8))
    }

    /// Says what the client said, as the closing handshake asks (RFC 6455, section 5.5.1).
    static func closeEcho(_ code: UInt16?) -> ByteBuffer {
        frame(.connectionClose, code.map { [UInt8($0 >> 8), UInt8($0 & 0xff)] } ?? [])
    }

    /// An item of `GET /v1/changes`.
    static func change(_ item: JSON) -> ByteBuffer { message("change", ["change": item]) }

    static func ready(_ cursor: StreamCursor) -> ByteBuffer { message("ready", ["cursor": .string(cursor.text)]) }

    static func reconnect(after milliseconds: Int) -> ByteBuffer {
        message("reconnect", ["afterMs": JSON(milliseconds)])
    }

    /// Without `data.members`: who else may see it is for routing, and can be most of an event's bytes.
    static func event(_ event: TodoEvent) -> ByteBuffer { Self.event(event.json) }

    static func event(_ cloudEvent: JSON) -> ByteBuffer {
        var json = cloudEvent
        json["data"]?["members"] = Optional.none
        return message("event", ["event": json])
    }

    private static func message(_ type: String, _ more: JSONObject) -> ByteBuffer {
        var object: JSONObject = ["type": .string(type)]
        for (key, value) in more { object[key] = value }
        return frame(.text, JSON.object(object).encoded())
    }

    /// A frame of a server is not masked (section 5.1); a message is sent whole (section 5.4).
    private static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(payload.count + 10)
        buffer.writeInteger(UInt8(0x80) | UInt8(webSocketOpcode: opcode))
        switch payload.count {
        case ...125: buffer.writeInteger(UInt8(payload.count))
        case ...Int(UInt16.max):
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(payload.count))
        }
        buffer.writeBytes(payload)
        return buffer
    }
}
