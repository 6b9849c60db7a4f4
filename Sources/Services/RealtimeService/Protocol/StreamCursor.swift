internal import FoundationEssentials

/// How far somebody has come in every stream of changes that they see, as the API writes it: `OWNER:SEQ,OWNER:SEQ…`, the
/// own stream first.
struct StreamCursor: Sendable, Equatable {
    struct Position: Sendable, Equatable {
        let stream: UUID
        var seq: Int
    }

    private(set) var positions: [Position] = []

    init() {}

    /// Nil when the text is anything but a list of positions, each of another stream.
    init?(_ text: String) {
        var seen: Set<UUID> = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = entry.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let stream = UUID(uuidString: String(parts[0])), let seq = Int(parts[1]), seq >= 0,
                seen.insert(stream).inserted
            else { return nil }
            positions.append(Position(stream: stream, seq: seq))
        }
    }

    /// Empty at the beginning of everything.
    var text: String {
        positions.map { "\($0.stream.uuidString.lowercased()):\($0.seq)" }.joined(separator: ",")
    }

    /// The stream of the person whose cursor it is.
    var own: UUID? { positions.first?.stream }

    /// The last change seen of `stream`; nil when the stream is not one of them.
    subscript(stream: UUID) -> Int? { positions.first { $0.stream == stream }?.seq }

    /// Takes note of a change. A stream that was not there comes last.
    mutating func advance(_ stream: UUID, to seq: Int) {
        if let index = positions.firstIndex(where: { $0.stream == stream }) {
            positions[index].seq = max(positions[index].seq, seq)
        } else {
            positions.append(Position(stream: stream, seq: seq))
        }
    }

    /// Whether it is further than `other` in any stream.
    func isAhead(of other: StreamCursor) -> Bool {
        positions.contains { position in other[position.stream].map { $0 < position.seq } ?? true }
    }
}
