import NIOCore
import NIOWebSocket
import Testing

@testable import RealtimeService

@Suite struct MessageReaderTests {
    private func frame(
        _ opcode: WebSocketOpcode, _ bytes: [UInt8], fin: Bool = true, masked: Bool = true, reserved: Bool = false
    ) -> WebSocketFrame {
        let key: WebSocketMaskingKey? = masked ? [1, 2, 3, 4] : nil
        var data = ByteBuffer(bytes: bytes)
        if let key { data.webSocketMask(key) }
        var frame = WebSocketFrame(fin: fin, opcode: opcode, maskKey: key, data: data)
        frame.rsv1 = reserved
        return frame
    }

    @Test func `a text is read, whole or in fragments with control frames between`() {
        var reader = MessageReader()
        #expect(reader.read(frame(.text, Array("grüße".utf8))) == .text("grüße"))
        let bytes = Array("grüße".utf8)
        #expect(reader.read(frame(.text, Array(bytes[..<3]), fin: false)) == .partial)
        #expect(reader.read(frame(.ping, [7])) == .ping(ByteBuffer(bytes: [7])))
        #expect(reader.read(frame(.continuation, [], fin: false)) == .partial)
        #expect(reader.read(frame(.continuation, Array(bytes[3...]))) == .text("grüße"))
        #expect(reader.read(frame(.text, [])) == .text(""))
        #expect(reader.read(frame(.pong, [1])) == .pong)
    }

    @Test func `what the RFC forbids has its code`() {
        func code(_ frames: WebSocketFrame...) -> UInt16? {
            var reader = MessageReader()
            var last: MessageReader.Result?
            for frame in frames { last = reader.read(frame) }
            guard case .violation(let reason) = last else { return nil }
            #expect(reason.text.utf8.count <= 123)
            return reason.code
        }
        #expect(code(frame(.text, [65], masked: false)) == 1002)
        #expect(code(frame(.text, [65], reserved: true)) == 1002)
        #expect(code(frame(.continuation, [65])) == 1002)
        #expect(code(frame(.text, [65], fin: false), frame(.text, [65])) == 1002)
        #expect(code(frame(WebSocketOpcode(encodedWebSocketOpcode: 3) ?? .text, [])) == 1002)
        #expect(code(frame(WebSocketOpcode(encodedWebSocketOpcode: 11) ?? .text, [])) == 1002)
        #expect(code(frame(.binary, [65])) == 1003)
        #expect(code(frame(.text, [0xc3, 0x28])) == 1007)
        #expect(code(frame(.text, [0xed, 0xa0, 0x80])) == 1007)
        #expect(code(frame(.text, [0xf4, 0x90, 0x80, 0x80])) == 1007)
        let half = [UInt8](repeating: 65, count: MessageReader.limit / 2 + 1)
        #expect(code(frame(.text, half, fin: false), frame(.continuation, half)) == 1009)
    }

    @Test func `a goodbye has a code that may be sent, or none`() {
        var reader = MessageReader()
        #expect(reader.read(frame(.connectionClose, [])) == .close(nil))
        for code: UInt16 in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999] {
            #expect(reader.read(frame(.connectionClose, [UInt8(code >> 8), UInt8(code & 255), 65])) == .close(code))
        }
        for code: UInt16 in [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            guard
                case .violation(let reason) = reader.read(
                    frame(.connectionClose, [UInt8(code >> 8), UInt8(code & 255)]))
            else {
                Issue.record("\(code) was taken")
                continue
            }
            #expect(reason.code == 1002)
        }
        #expect(reader.read(frame(.connectionClose, [3])) == .violation(.protocolError("a close code has two bytes")))
        #expect(reader.read(frame(.connectionClose, [3, 232, 0xff])) == .violation(.notUTF8))
    }
}
