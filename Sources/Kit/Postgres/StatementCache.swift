/// Which statements a connection has prepared on the server, the least recently used one forgotten first.
struct StatementCache {
    struct Key: Hashable {
        let sql: String
        let types: [UInt32]
    }

    private struct Entry {
        let name: String
        var lastUse: Int
    }

    private var entries: [Key: Entry] = [:]
    private var clock = 0
    private var serial = 0
    let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { entries.count }

    /// The server's name of a prepared statement.
    mutating func name(for key: Key) -> String? {
        guard let index = entries.index(forKey: key) else { return nil }
        clock += 1
        entries.values[index].lastUse = clock
        return entries.values[index].name
    }

    /// A name for a statement that is about to be prepared; `insert` it once the server has agreed.
    mutating func makeName() -> String {
        serial += 1
        return "s\(serial)"
    }

    /// Remembers a statement; gives the name of the one that has to make room, to be deallocated.
    mutating func insert(_ key: Key, name: String) -> String? {
        let evicted = entries.count < capacity ? nil : entries.min { $0.value.lastUse < $1.value.lastUse }?.key
        clock += 1
        entries[key] = Entry(name: name, lastUse: clock)
        return evicted.flatMap { entries.removeValue(forKey: $0)?.name }
    }

    /// Forgets all: the server no longer has them or can no longer run them.
    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }
}
