import NIOCore
import NIOWebSocket
import StructuredData
import TodoModel

@testable import RealtimeProtocol

/// What was read is printed, and read as the same again; an error points into the text.
func checkQuery(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    do {
        let query = try TaskQuery(parsing: text)
        let printed = query.description
        // The canonical form of a text at the limit may be a little longer.
        guard printed.unicodeScalars.count <= TaskQuery.lengthLimit else { return }
        check((try? TaskQuery(parsing: printed)) == query, "printed as \(printed.debugDescription)")
    } catch {
        let end = text.unicodeScalars.count
        check(error.offset >= 0 && error.offset < max(1, end) && error.offset + error.length <= end, "\(error)")
        check(error.utf8Range.lowerBound >= 0 && error.utf8Range.upperBound <= text.utf8.count, "\(error)")
    }
}

/// A delivery as it comes from outside: an event, or the body of a write.
func checkEvent(_ bytes: [UInt8]) {
    guard let json = try? JSON(parsing: bytes) else { return }
    if let event = try? TodoEvent(json) { check((try? TodoEvent(event.json)) == event, "event") }
    _ = try? TodoTask.Draft(json)
    _ = try? TodoTask.Patch(json)
    if let text = json.string {
        if let instant = Instant(text) { check(Instant(instant.text) == instant, "instant \(instant.text)") }
        if let date = CivilDate(text) { check(CivilDate(date.text) == date, "date \(date.text)") }
        if let time = TimeOfDay(text) { check(TimeOfDay(time.text) == time, "time \(time.text)") }
        _ = ZoneName.isKnown(text)
    }
}

/// Frames: a byte with FIN, reserved bits and opcode, one with the length, the payload.
func checkMessage(_ bytes: [UInt8]) {
    var reader = MessageReader()
    var rest = bytes[...]
    while let head = rest.popFirst(), let length = rest.popFirst() {
        let payload = rest.prefix(Int(length))
        rest = rest.dropFirst(Int(length))
        let key: WebSocketMaskingKey = [1, 2, 3, 4]
        var data = ByteBuffer(bytes: payload)
        data.webSocketMask(key)
        var frame = WebSocketFrame(
            fin: head & 0x80 != 0, opcode: WebSocketOpcode(encodedWebSocketOpcode: head & 0x0f) ?? .text, maskKey: key,
            data: data)
        frame.rsv1 = head & 0x40 != 0
        guard case .text(let text) = reader.read(frame) else { continue }
        guard case .resume(let cursor?) = try? ClientMessage(text) else { continue }
        check(StreamCursor(cursor.text) == cursor, "cursor \(cursor.text)")
    }
}
