/// The first thing in an export that is not as the log wrote it.
public struct ExportFault: Error, Sendable, Hashable {
    public enum Place: Sendable, Hashable {
        case row(shard: Int, index: Int)
        case checkpoint(Int)
        /// The line is neither.
        case line
    }

    public let place: Place
    /// From 1; of something that is missing, the line where it should have been.
    public let line: Int
    /// Completes "row 7 of shard 3 …".
    public let reason: String

    init(_ place: Place, line: Int, _ reason: String) {
        self.place = place
        self.line = line
        self.reason = reason
    }

    /// The same fault, `lines` further down.
    func moved(by lines: Int) -> ExportFault { ExportFault(place, line: line + lines, reason) }
}

extension ExportFault: CustomStringConvertible {
    public var description: String {
        switch place {
        case .row(let shard, let index): "line \(line): row \(index) of shard \(shard) \(reason)"
        case .checkpoint(let index): "line \(line): checkpoint \(index) \(reason)"
        case .line: "line \(line) \(reason)"
        }
    }
}
