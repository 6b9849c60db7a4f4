import Testing
import TodoModel

@Suite struct TaskQueryFuzzTests {
    /// Whatever is typed is a query that can be printed and read again, or an error that points into the text.
    private func check(_ text: String) {
        do {
            let query = try TaskQuery(parsing: text)
            // The canonical form may be a little longer than a text at the limit.
            let printed = query.description
            if printed.unicodeScalars.count <= TaskQuery.lengthLimit {
                #expect((try? TaskQuery(parsing: printed)) == query, "\(text.debugDescription)")
            }
        } catch {
            let end = text.unicodeScalars.count
            #expect(0 <= error.offset && error.offset < max(1, end) && error.offset + error.length <= end)
            #expect(0 <= error.utf8Range.lowerBound && error.utf8Range.upperBound <= text.utf8.count)
            #expect(!error.message.isEmpty && error.message.utf8.count < 6000)
        }
    }

    private static let pieces = [
        "due", "start", "created", "priority", "status", "tag", "project", "estimate", "is", "has", "sort", ":", "<",
        "<=",
        ">", "=", "..", "today", "now", "none", "any", "overdue", "2026-03-01", "9999-12-31", "+7d", "-1m", "high",
        "30m",
        "open", "deleted", "(", ")", "\"", "\\", "-", " ", " or ", " and ", " not ", "*", ",", "milk", "ü", "👩‍👩‍👧",
        "\u{301}",
        "\u{0}", "\r\n", "\u{2028}", "\u{200d}", "\u{600}", "\u{fffd}", "٣", "²", "K",
    ]

    @Test func randomPiecesNeverCrash() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...30, using: &random)
            check((0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined())
        }
    }

    @Test func randomScalarsNeverCrash() {
        var random = SeededGenerator(seed: 12)
        for _ in 0..<10_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                let limit: UInt32 = Bool.random(using: &random) ? 0x7f : 0x10ffff
                if let scalar = Unicode.Scalar(UInt32.random(in: 0...limit, using: &random)) { text.append(scalar) }
            }
            check(String(text))
        }
    }

    @Test func mutatedQueriesNeverCrash() {
        var generator = RandomTaskQuery(seed: 13)
        for _ in 0..<20_000 {
            var text = Array(generator.query().description.unicodeScalars)
            for _ in 0..<generator.int(1, 4) where !text.isEmpty {
                let index = generator.int(0, text.count - 1)
                switch generator.int(0, 3) {
                case 0: text.remove(at: index)
                case 1: text.insert(contentsOf: generator.pick(Self.pieces).unicodeScalars, at: index)
                case 2: text.swapAt(index, generator.int(0, text.count - 1))
                default: text.append(contentsOf: text[index...].prefix(20))
                }
            }
            var view = String.UnicodeScalarView()
            view.append(contentsOf: text)
            check(String(view))
        }
    }
}
