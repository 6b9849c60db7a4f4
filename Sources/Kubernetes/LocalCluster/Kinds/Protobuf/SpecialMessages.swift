internal import StructuredData

/// Messages that JSON shows in a form of their own.
enum SpecialMessages {
    /// Nil for the zero value, which reads as absent.
    static func read(_ bytes: ArraySlice<UInt8>, as name: String) throws(ProtobufError) -> JSON? {
        var integers: [Int: Int] = [:]
        var parts: [(number: Int, bytes: ArraySlice<UInt8>)] = []
        var reader = WireReader(bytes)
        while let (number, value) = try reader.next() {
            switch value {
            case .integer(let bits): integers[number] = Int(Int64(bitPattern: bits))
            case .bytes(let bytes): parts.append((number, bytes))
            }
        }
        func text(_ number: Int) -> String {
            parts.last { $0.number == number }.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
        }
        switch name {
        case "Time", "MicroTime":
            guard let seconds = integers[1] else { return nil }
            let nanos = name == "MicroTime" ? min(max(integers[2] ?? 0, 0), 999_999_999) : nil
            return Moment.text(seconds, nanoseconds: nanos).map(JSON.string)
        case "Duration": return .string("\((integers[1] ?? 0) / 1_000_000_000)s")
        case "Quantity": return text(1).isEmpty ? nil : .string(text(1))
        case "IntOrString": return integers[1] == 1 ? .string(text(3)) : JSON(integers[2] ?? 0)
        case "Raw":
            guard let raw = parts.last(where: { $0.number == 1 }) else { return nil }
            do { return try JSON(parsing: raw.bytes) } catch {
                throw .malformed("embedded JSON: \(error)")
            }
        default:
            return .array(parts.filter { $0.number == 1 }.map { .string(String(decoding: $0.bytes, as: UTF8.self)) })
        }
    }
}
