internal import Postgres
internal import StructuredData
internal import TodoModel

/// Writes rows of `TodoTask.columnNames` as a JSON array, each as `TodoTask.json` has it; a test holds them equal.
///
/// From what PostgreSQL sent to what the client gets, without a value of each column and a tree of JSON in between: a
/// page of a list has a thousand columns, and they were most of what it cost the service.
struct TaskRowWriter {
    private var bytes: [UInt8] = [UInt8(ascii: "[")]
    private var row: PostgresRow?
    private var place = 0
    /// The instant that was written last: most tasks have one twice.
    private var instant: (microseconds: Int64, text: [UInt8])?

    init() { bytes.reserveCapacity(40_000) }

    /// How many bytes there are so far.
    var count: Int { bytes.count }

    mutating func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "]"))
        return bytes
    }

    mutating func write(_ row: PostgresRow) throws {
        if self.row != nil { bytes.append(UInt8(ascii: ",")) }
        self.row = row
        place = 0
        let user = try next(.uuid)
        append(#"{"id":"#)
        write(uuid: try next(.uuid))
        append(#","user":"#)
        write(uuid: user)
        append(#","project":"#)
        write(uuid: try next(.uuid))
        append(#","parent":"#)
        write(uuid: try next(.uuid))
        append(#","title":"#)
        write(text: try next(.text))
        append(#","description":"#)
        write(text: try next(.text))
        append(#","status":"#)
        write(text: try next(.text))
        append(#","priority":"#)
        let priority = TodoTask.Priority(rawValue: Int(try integer(.int2, Int16.self) ?? -1))
        guard let priority else { throw PostgresError.misuse("a task has a priority that this release does not know") }
        JSON.string(priority.name).write(into: &bytes)
        try writeDue()
        append(#","start":"#)
        write(date: try integer(.date, Int32.self))
        append(#","estimate":"#)
        write(number: try integer(.int4, Int32.self).map(Int64.init))
        append(#","tags":"#)
        try writeTags()
        append(#","position":"#)
        write(text: try next(.text))
        for name in [#","createdAt":"#, #","updatedAt":"#, #","completedAt":"#, #","deletedAt":"#] as [StaticString] {
            append(name)
            write(instant: try integer(.timestamptz, Int64.self))
        }
        append(#","version":"#)
        write(number: try integer(.int8, Int64.self))
        append(#","seq":"#)
        write(number: try integer(.int8, Int64.self))
        append(#","recurrence":"#)
        try writeRecurrence(row)
        append("}")
    }
}

/// The columns, from the left.
extension TaskRowWriter {
    private mutating func next(_ type: PostgresType) throws(PostgresError) -> UnsafeRawBufferPointer? {
        defer { place += 1 }
        return try row?.bytes(at: place, as: type)
    }

    private mutating func integer<Value: FixedWidthInteger>(
        _ type: PostgresType, _: Value.Type
    ) throws(PostgresError) -> Value? {
        try next(type).map { Value(bigEndian: $0.loadUnaligned(as: Value.self)) }
    }

    private mutating func writeDue() throws(PostgresError) {
        let date = try integer(.date, Int32.self)
        let time = try integer(PostgresTime.postgresType, Int64.self)
        let zone = try next(.text)
        append(#","due":"#)
        guard let date else { return append("null") }
        append(#"{"date":"#)
        write(date: date)
        if let time {
            append(#","time":""#)
            let minutes = Int(time / 60_000_000)
            write(twoDigits: minutes / 60)
            append(":")
            write(twoDigits: minutes % 60)
            append(#"""#)
        }
        if let zone {
            append(#","zone":"#)
            write(text: zone)
        }
        append("}")
    }

    /// The binary form of an array: dimensions, NULL flag, element type, length, lower bound, then each element with its
    /// length.
    private mutating func writeTags() throws(PostgresError) {
        let array = try next([String].postgresType)
        append("[")
        if let array, array.count > 20 {
            var offset = 20
            while offset + 4 <= array.count {
                let length = Int(Int32(bigEndian: array.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
                guard length >= 0, offset + 4 + length <= array.count else {
                    throw .misuse("a task has tags that cannot be read")
                }
                if offset > 20 { append(",") }
                write(text: UnsafeRawBufferPointer(rebasing: array[(offset + 4)..<(offset + 4 + length)]))
                offset += 4 + length
            }
        }
        append("]")
    }

    /// Few tasks repeat.
    private mutating func writeRecurrence(_ row: PostgresRow) throws(PostgresError) {
        guard try next(.uuid) != nil else { return append("null") }
        let recurrence = try TodoTask(row).recurrence
        JSON(recurrence) { $0.json }.write(into: &bytes)
    }
}

/// Values.
extension TaskRowWriter {
    private mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func write(text: UnsafeRawBufferPointer?) {
        guard let text else { return append("null") }
        JSON.write(string: text.assumingMemoryBound(to: UInt8.self), into: &bytes)
    }

    private mutating func write(uuid: UnsafeRawBufferPointer?) {
        guard let uuid else { return append("null") }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * uuid.count + 6) { text in
            var end = 0
            func put(_ byte: UInt8) {
                text[end] = byte
                end += 1
            }
            put(UInt8(ascii: "\""))
            for (place, byte) in uuid.enumerated() {
                if place == 4 || place == 6 || place == 8 || place == 10 { put(UInt8(ascii: "-")) }
                put(Self.digit(byte >> 4))
                put(Self.digit(byte & 15))
            }
            put(UInt8(ascii: "\""))
            bytes.append(contentsOf: text[..<end])
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private mutating func write(twoDigits value: Int) {
        bytes.append(UInt8(ascii: "0") + UInt8(value / 10 % 10))
        bytes.append(UInt8(ascii: "0") + UInt8(value % 10))
    }

    private mutating func write(number: Int64?) {
        guard let number else { return append("null") }
        bytes.append(contentsOf: String(number).utf8)
    }

    /// In days since 2000-01-01, as the server counts.
    private mutating func write(date: Int32?) {
        guard let date else { return append("null") }
        append(#"""#)
        bytes.append(contentsOf: CivilDate(daysSince1970: Int(date) + Self.daysTo2000).text.utf8)
        append(#"""#)
    }

    /// In microseconds since 2000-01-01, as the server counts.
    private mutating func write(instant microseconds: Int64?) {
        guard let microseconds else { return append("null") }
        if instant?.microseconds != microseconds {
            let since1970 = microseconds + Int64(Self.daysTo2000) * 86_400_000_000
            instant = (microseconds, Array("\"\(Instant(microsecondsSince1970: since1970).text)\"".utf8))
        }
        if let instant { bytes.append(contentsOf: instant.text) }
    }

    private static let daysTo2000 = 10_957
}
