/// All objects at one revision: what a snapshot holds and what recovery gives back.
struct RecoveredState: Sendable {
    var revision: UInt64 = 0
    var tables: [TableID: SortedObjects] = [:]

    var byteCount: Int { tables.values.reduce(0) { $0 + $1.byteCount } }
}
