import FoundationEssentials
import StructuredData
import TodoModel

@testable import AuditService

/// Something that is done to one place of an export.
enum Mutation: CaseIterable {
    case flipByte, changeMember, changeHash, changeEntryAndHash, remove, repeatLine, swapNeighbours, swapFar, move
    case insertForged, insertBlank, addBlank, cutTail, cutByte, spaceInside

    static let all = allCases

    struct Mutant {
        let bytes: [UInt8]
        /// The line that was changed, from 1.
        let line: Int
        /// Where the fault may be named: at the line itself or at a neighbour that no longer fits.
        let allowed: ClosedRange<Int>
    }

    /// Nil when there is nothing that this could be done to.
    func apply(to lines: [String], using random: inout some RandomNumberGenerator) -> Mutant? {
        let place = Int.random(in: lines.indices, using: &random)
        let other = Int.random(in: lines.indices, using: &random)
        var mutant = lines
        var (first, last) = (place, place)
        func isCheckpoint(_ place: Int) -> Bool { lines[place].hasPrefix(#"{"checkpoint""#) }
        switch self {
        case .flipByte:
            var bytes = Array(lines[place].utf8)
            bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0...6, using: &random)
            guard !bytes.contains(0x0A) else { return nil }
            return Self.mutant(lines, replacing: place, by: bytes)
        case .changeMember:
            mutant[place] = lines[place].replacing("2026-", with: "2025-", maxReplacements: 1)
        case .changeHash:
            guard let digit = lines[place].lastIndex(where: { "0123456789abcdef".contains($0) }) else { return nil }
            mutant[place].replaceSubrange(digit...digit, with: lines[place][digit] == "0" ? "1" : "0")
        case .changeEntryAndHash:
            guard let forged = Self.forged(lines, at: place) else { return nil }
            mutant[place] = forged
            last = place + 1
        case .remove:
            mutant.remove(at: place)
            if isCheckpoint(place) { last = lines.count }  // the rows that only it covered may be far
        case .repeatLine:
            mutant.insert(lines[place], at: place)
            last = place + 1
        case .swapNeighbours:
            guard place + 1 < lines.count else { return nil }
            mutant.swapAt(place, place + 1)
            if isCheckpoint(place) { last = place + 1 }
        case .swapFar:
            guard place != other else { return nil }
            mutant.swapAt(place, other)
            (first, last) = (min(place, other), isCheckpoint(min(place, other)) ? lines.count : min(place, other))
        case .move:
            guard place != other else { return nil }
            mutant.insert(mutant.remove(at: place), at: other)
            (first, last) = (min(place, other), isCheckpoint(min(place, other)) ? lines.count : min(place, other))
        case .insertForged:
            guard let forged = Self.forged(lines, at: place) else { return nil }
            mutant.insert(forged, at: place)
            last = place + 1
        case .insertBlank:
            mutant.insert("", at: place)
        case .addBlank:
            mutant.append("")
            (first, last) = (lines.count, lines.count)
        case .cutTail:
            mutant.removeSubrange(place...)
            last = lines.count
        case .cutByte:
            let bytes = Array(lines.map { $0 + "\n" }.joined().utf8.dropLast())
            return Mutant(bytes: bytes, line: lines.count, allowed: lines.count...lines.count)
        case .spaceInside:
            mutant[place] = lines[place].replacing(",", with: ", ", maxReplacements: 1)
        }
        guard mutant != lines else { return nil }
        return Mutant(
            bytes: Array(mutant.map { $0 + "\n" }.joined().utf8), line: place + 1, allowed: first + 1...last + 1)
    }

    private static func mutant(_ lines: [String], replacing place: Int, by bytes: [UInt8]) -> Mutant {
        var all: [UInt8] = []
        for (index, line) in lines.enumerated() { all += (index == place ? bytes : Array(line.utf8)) + [0x0A] }
        return Mutant(bytes: all, line: place + 1, allowed: place + 1...place + 1)
    }

    /// The row at `place` with another type and a hash that fits: what somebody makes who knows the format.
    private static func forged(_ lines: [String], at place: Int) -> String? {
        guard place > 0, let json = try? JSON(parsing: lines[place]), let entry = json["entry"],
            let before = try? JSON(parsing: lines[place - 1]), let index = entry["index"]?.int
        else { return nil }
        var changed = entry
        changed["type"] = "dev.todo-operator.task.deleted"
        let previous = index == 1 ? .zero : before["hash"]?.string.flatMap { ChainHash(hex: $0.utf8) }
        guard let previous, let bytes = try? changed.canonical() else { return nil }
        let hash = bytes.withUnsafeBytes { AuditEntry.hash(of: $0, after: previous) }
        return (["entry": changed, "hash": .string(hash.hex)] as JSON).encoded(sortedKeys: true).text
    }
}

extension [UInt8] {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
