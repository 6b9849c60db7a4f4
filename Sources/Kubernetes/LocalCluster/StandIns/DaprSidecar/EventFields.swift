internal import StructuredData

/// The members of an event, each value as it was sent: they are passed on and seldom looked into.
struct EventFields {
    private var members: [(name: String, value: ArraySlice<UInt8>)]

    /// Of members with the same name only the last counts, for all readers alike.
    ///
    /// - Parameters:
    ///   - members: of an outline of `bytes`.
    init(_ members: [JSONOutline.Member] = [], of bytes: [UInt8] = []) {
        // By bytes: JSON knows no other equality of names.
        var names = Set<[UInt8]>(minimumCapacity: members.count)
        let last = members.reversed().filter { names.insert(Array($0.name.utf8)).inserted }
        self.members = last.reversed().map { ($0.name, bytes[$0.value.range]) }
    }

    func contains(_ name: String) -> Bool { members.contains { $0.name == name } }

    /// Nil also where the value is no string.
    func string(_ name: String) -> String? {
        members.first { $0.name == name }.flatMap { try? JSON(parsing: $0.value).string }
    }

    mutating func set(_ name: String, json: ArraySlice<UInt8>) {
        members.removeAll { $0.name == name }
        members.append((name, json))
    }

    mutating func set(_ name: String, _ value: String) { set(name, json: JSON.string(value).encoded()[...]) }

    mutating func fill(_ name: String, _ value: @autoclosure () -> String) {
        if !contains(name) { set(name, value()) }
    }

    func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(members.reduce(2) { $0 + $1.name.utf8.count + $1.value.count + 4 })
        for (name, value) in members {
            bytes.append(bytes.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            JSON.string(name).write(into: &bytes)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(contentsOf: value)
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
