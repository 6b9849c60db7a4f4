internal import FoundationEssentials

/// Which numbers of each stream this process has seen in a row, to tell a number that was skipped because the event is not
/// for everybody from one that never arrived.
///
/// A member of a shared project sees some of the owner's events, so that gaps in what one connection is sent say nothing.
/// But a process is delivered every event of every stream, in order (one partition key per stream, at least once). So for
/// an event `n` it remembers since which number it has seen all; a connection that has come to `c` has missed nothing if
/// that number is at most `c + 1`. Numbers without an event (a saved filter was changed) look like a loss and cost those
/// who see the next event one request to the API. A loss that no later event shows, at the end of a stream or among events
/// for others, is found by the check that each connection makes against the API every minute.
///
/// It remembers a bounded number of streams; one that was forgotten counts as seen since its next event.
struct StreamLog {
    private struct Run {
        var from: Int
        var to: Int
    }

    private let capacity: Int
    // Two generations: when the recent one is full it becomes the older one, and what was not used meanwhile is forgotten.
    private var recent: [UUID: Run] = [:]
    private var older: [UUID: Run] = [:]

    /// Remembers at least the `capacity` streams that were used last.
    init(capacity: Int = 65_536) { self.capacity = capacity }

    /// Since which number all were seen, `seq` included. Nil for one that is known to have been seen before: a redelivery,
    /// which everybody has, since a connection that came later read the changes that were there before it. One that
    /// comes late, after its successors, stands for itself.
    ///
    /// The last number again may be the other event of one change, for those whose sight a task leaves. Should it be a
    /// redelivery, who has it skips it by the own cursor.
    mutating func note(_ stream: UUID, _ seq: Int) -> Int? {
        let known = recent[stream] ?? older[stream]
        if let known, seq <= known.to { return seq < known.from ? seq : seq == known.to ? known.from : nil }
        let run = known.flatMap { $0.to + 1 == seq ? Run(from: $0.from, to: seq) : nil } ?? Run(from: seq, to: seq)
        if recent.count >= capacity, recent[stream] == nil {
            older = recent
            recent = [:]
        }
        recent[stream] = run
        return run.from
    }
}
