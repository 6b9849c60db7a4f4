import StructuredData
import Testing

@Suite("JSON outline")
struct JSONOutlineTests {
    @Test("tells the levels that were asked for apart, and leaves the rest as it is written")
    func levels() throws {
        let text = Array(#" { "a" : [ 1 , {"b":null} ], "c":"d\n" , "a": true } "#.utf8)
        let outer = try JSONOutline(of: text, levels: 1)
        func written(_ outline: JSONOutline?) -> String {
            String(decoding: text[outline?.range ?? 0..<0], as: UTF8.self)
        }
        guard case .object(let members) = outer.content else {
            Issue.record("an object is an object")
            return
        }
        #expect(members.map(\.name) == ["a", "c", "a"])
        #expect(members.map { written($0.value) } == [#"[ 1 , {"b":null} ]"#, #""d\n""#, "true"])
        #expect(written(outer["a"]) == "true", "the last one counts")
        #expect(outer["b"] == nil)
        guard case .array(let elements) = (try JSONOutline(of: Array("[1, [2]] ".utf8), levels: 2)).content else {
            Issue.record("an array is an array")
            return
        }
        #expect(elements.map(\.range) == [1..<2, 4..<7])
        guard case .text = try JSONOutline(of: text, levels: 0).content else {
            Issue.record("below the levels all is text")
            return
        }
    }

    @Test("takes and refuses what the parser does, with the same words, also of texts that are nearly right")
    func agrees() throws {
        let marks = Array("[]{},:\"\\ue0-1.tn \u{1}é".utf8)
        var refused = 0
        for seed in 1...20_000 as ClosedRange<UInt64> {
            var random = RandomJSON(seed: seed)
            var text = random.value().encoded()
            for _ in 0..<random.below(3) where !text.isEmpty {
                let place = random.below(text.count)
                let byte = marks[random.below(marks.count)]
                switch random.below(3) {
                case 0: text.remove(at: place)
                case 1: text.insert(byte, at: place)
                default: text[place] = byte
                }
            }
            let parsed = Result { () throws(JSONParseError) in try JSON(parsing: text) }
            for levels in 0...3 {
                let outline = Result { () throws(JSONParseError) in try JSONOutline(of: text, levels: levels) }
                switch (parsed, outline) {
                case (.success(let value), .success(let outline)):
                    try #require(try JSON(parsing: text[outline.range]) == value)
                    try #require(try self.value(of: outline, in: text) == value)
                case (.failure(let one), .failure(let other)): try #require(one.description == other.description)
                default:
                    Issue.record("level \(levels) of \(String(decoding: text, as: UTF8.self)): \(parsed), \(outline)")
                }
            }
            if case .failure = parsed { refused += 1 }
        }
        #expect((5_000...15_000).contains(refused), "\(refused): the texts are to be of both kinds")
    }

    private func value(of outline: JSONOutline, in text: [UInt8]) throws -> JSON {
        switch outline.content {
        case .text: try JSON(parsing: text[outline.range])
        case .array(let elements): .array(try elements.map { try value(of: $0, in: text) })
        case .object(let members):
            .object(JSONObject(try members.map { (key: $0.name, value: try value(of: $0.value, in: text)) }))
        }
    }

    @Test("refuses what is nested too deep, on whichever side of the levels")
    func depth() {
        let text = Array((String(repeating: "[", count: 40) + String(repeating: "]", count: 40)).utf8)
        for levels in [0, 1, 20, 40, 100] {
            #expect(throws: JSONParseError.self) {
                try JSONOutline(of: text, levels: levels, limits: JSONLimits(maxDepth: 39))
            }
            #expect(throws: Never.self) { try JSONOutline(of: text, levels: levels, limits: JSONLimits(maxDepth: 40)) }
        }
    }
}
