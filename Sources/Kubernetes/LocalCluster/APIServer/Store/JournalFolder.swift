/// The files of a durable store: `log-N` segments in order, and `snapshot-N`, which stands for all segments before N.
struct JournalFolder: Sendable {
    let path: String

    func logPath(_ number: Int) -> String { "\(path)/log-\(number)" }
    func snapshotPath(_ number: Int) -> String { "\(path)/snapshot-\(number)" }

    private func numbers(of prefix: String) throws(StorageError) -> [Int] {
        try Folder.names(in: path).compactMap { $0.hasPrefix(prefix) ? Int($0.dropFirst(prefix.count)) : nil }.sorted()
    }

    /// The state that the files hold, and the number of the segment to go on with.
    ///
    /// A record that was being written when the machine stopped is cut off the last segment: nobody was told that it
    /// is kept. A damaged record anywhere else is an error.
    func recover() throws(StorageError) -> (state: RecoveredState, segment: Int) {
        var state = RecoveredState()
        var first = 0
        for number in try numbers(of: "snapshot-").reversed() {
            guard let snapshot = try readSnapshot(number) else { continue }
            state = snapshot
            first = number
            break
        }
        let segments = try numbers(of: "log-").filter { $0 >= first }
        for number in segments {
            try replay(number, isLast: number == segments.last, into: &state)
        }
        return (state, max(first, segments.last ?? 0))
    }

    private func readSnapshot(_ number: Int) throws(StorageError) -> RecoveredState? {
        let bytes = try File(snapshotPath(number), .read).readAll()
        var offset = 0
        guard case .snapshotStart(let revision) = JournalRecord.read(bytes, at: &offset) else { return nil }
        var state = RecoveredState(revision: revision)
        var count: UInt64 = 0
        while let record = JournalRecord.read(bytes, at: &offset) {
            switch record {
            case .put(let table, let object):
                state.tables[table, default: SortedObjects()].insert(object)
                count += 1
            case .snapshotEnd(let expected): return expected == count ? state : nil
            case .delete, .snapshotStart: return nil
            }
        }
        return nil
    }

    private func replay(_ number: Int, isLast: Bool, into state: inout RecoveredState) throws(StorageError) {
        let file = try File(logPath(number), .append)
        let bytes = try file.readAll()
        var offset = 0
        let snapshotRevision = state.revision
        while offset < bytes.count {
            guard let record = JournalRecord.read(bytes, at: &offset) else {
                guard isLast else { throw .corrupt(path: file.path, offset: offset) }
                try file.truncate(to: offset)
                try file.synchronize()
                return
            }
            switch record {
            case .put(let table, let object) where object.revision > snapshotRevision:
                state.tables[table, default: SortedObjects()].insert(object)
                state.revision = object.revision
            case .delete(let table, let key, let revision) where revision > snapshotRevision:
                state.tables[table]?.remove(key)
                state.revision = revision
            case .put, .delete, .snapshotStart, .snapshotEnd: break
            }
        }
    }

    /// Writes `state` as what stands for all segments before `number`, and removes those. Returns its size.
    func writeSnapshot(_ state: RecoveredState, before number: Int) throws(StorageError) -> Int {
        let temporary = "\(path)/snapshot.partial"
        var size = 0
        do {
            let file = try File(temporary, .create)
            var buffer: [UInt8] = []
            JournalRecord.snapshotStart(revision: state.revision).write(into: &buffer)
            var count: UInt64 = 0
            for (table, objects) in state.tables {
                for object in objects {
                    JournalRecord.put(table, object).write(into: &buffer)
                    count += 1
                    guard buffer.count > 1 << 20 else { continue }
                    try file.write(buffer)
                    size += buffer.count
                    buffer.removeAll(keepingCapacity: true)
                }
            }
            JournalRecord.snapshotEnd(count: count).write(into: &buffer)
            try file.write(buffer)
            size += buffer.count
            try file.synchronize()
        }
        try Folder.rename(temporary, to: snapshotPath(number))
        try Folder.synchronize(path)
        for old in try numbers(of: "log-") where old < number { try Folder.remove(logPath(old)) }
        for old in try numbers(of: "snapshot-") where old < number { try Folder.remove(snapshotPath(old)) }
        return size
    }
}
