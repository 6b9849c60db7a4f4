import StructuredData
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "accepts what RFC 8259 allows, and writes it back compactly",
        arguments: [
            ("null", "null"), (" true ", "true"), ("\t\r\nfalse\n", "false"), ("[]", "[]"), ("{}", "{}"),
            ("[ 1 , 2 ]", "[1,2]"), (#"{ "a" : { "b" : [ ] } }"#, #"{"a":{"b":[]}}"#), (#""""#, #""""#),
            ("0", "0"), ("-0", "-0"), ("-0.0e-0", "-0.0e-0"), ("1E400", "1E400"), ("1.10", "1.10"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            (#""\u0041\/\b\f\n\r\t\"\\""#, #""A/\b\f\n\r\t\"\\""#), (#""\u0000\u001f""#, #""\u0000\u001f""#),
            (#""\ud83d\ude00""#, "\"😀\""), (#""é日本語😀""#, #""é日本語😀""#), (#""\u007f""#, "\"\u{7f}\""),
            (#"{"":1}"#, #"{"":1}"#), (#"{"a":1,"b":2,"a":3}"#, #"{"a":3,"b":2}"#),
            ("\"\u{2028}\u{FEFF}\"", "\"\u{2028}\u{FEFF}\""),
            (#""\uFFFF\uD7FF\uE000""#, "\"\u{FFFF}\u{D7FF}\u{E000}\""),
        ])
    func accepts(text: String, expected: String) throws {
        #expect(try JSON(parsing: text).text == expected)
    }

    @Test(
        "refuses what RFC 8259 forbids",
        arguments: [
            "", " ", "nul", "nulll", "True", "'a'", "[1,]", "[,1]", "[1 2]", "[", "]", "[1", "{", "}", "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}", "{a:1}", "{\"a\":1 \"b\":2}", "{1:1}", "{\"a\" 1}", "[1]x", "1 2", "01", "-01", "+1", ".5",
            "1.",
            "1.e1", "1e", "1e+", "-", "--1", "0x1", "NaN", "Infinity", "-Infinity", "1_000", "\"", "\"a", "\"\\\"",
            "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\ud800\"", "\"\\ud800x\"",
            "\"a\nb\"", "\"\u{1}\"", "\"a\u{0}b\"", "\u{FEFF}1", "// c\n1", "[1]//", "{\"a\":1}}", "[}", "\"\\U0041\"",
            "tru", "[\"a\",", "{\"a\":1,\"b\"", "\u{0}", "1\u{0}", "\u{A0}1", "[\u{B}1]",
        ])
    func refuses(text: String) {
        #expect(throws: JSONParseError.self) { try JSON(parsing: text) }
    }

    @Test(
        "refuses bytes that are not UTF-8, also in keys",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80]]
            as [[UInt8]])
    func refusesInvalidUTF8(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        let value: [UInt8] = [quote] + bytes + [quote]
        #expect(throws: JSONParseError.self) { try JSON(parsing: value) }
        let key = Array("{".utf8) + value + Array(":1}".utf8)
        #expect(throws: JSONParseError.self) { try JSON(parsing: key) }
    }

    @Test("says what was expected, what was found, and where")
    func locatesErrors() throws {
        let error = try #require(throws: JSONParseError.self) { try JSON(parsing: "{\n  \"a\": [1,\n   x]\n}") }
        #expect(error.description == #"line 3, column 4: expected a value, found "x""#)
        #expect(error.offset == 16)
        let end = try #require(throws: JSONParseError.self) { try JSON(parsing: "[1, 2") }
        #expect(end.description == #"line 1, column 6: expected "," or "]", found the end of the input"#)
    }

    @Test(
        "nesting of 10,000 levels is an error, not a crash, on a small stack", arguments: ["[", "{\"a\":", "[{\"a\":"])
    func refusesDeepNesting(opening: String) throws {
        let text = String(repeating: opening, count: 10_000)
        let message = onSmallStack { () -> String in
            do throws(JSONParseError) { return try JSON(parsing: text).text } catch { return error.message }
        }
        #expect(message == "nested deeper than 256 levels")
    }

    @Test("a value of the greatest depth is parsed, compared, hashed, written and freed on a small stack")
    func deepestValue() throws {
        let text = String(repeating: "[{\"a\":", count: 128) + "1" + String(repeating: "}]", count: 128)
        let isSame = onSmallStack { () -> Bool in
            guard let first = try? JSON(parsing: text), let second = try? JSON(parsing: text) else { return false }
            let yaml = YAML.write(first)
            return first == second && first.hashValue == second.hashValue && first.text == text
                && !first.prettyText.isEmpty
                && (try? YAML.parse(yaml)) == [first] && MergePatch.apply(first, to: second) == first
        }
        #expect(isSame == true)
    }

    @Test("limits of depth and size are kept")
    func limits() throws {
        #expect(try JSON(parsing: "[[]]", limits: JSONLimits(maxDepth: 2)) == [[]])
        #expect(throws: JSONParseError.self) { try JSON(parsing: "[[]]", limits: JSONLimits(maxDepth: 1)) }
        #expect(try JSON(parsing: "1234", limits: JSONLimits(maxBytes: 4)) == 1234)
        let error = try #require(throws: JSONParseError.self) {
            try JSON(parsing: "12345", limits: JSONLimits(maxBytes: 4))
        }
        #expect(error.message == "the input has 5 bytes, at most 4 are allowed")
    }

    @Test("duplicate keys are reported as Kubernetes paths, once each; the last value wins")
    func reportsDuplicates() throws {
        var duplicates: [String] = []
        let text = #"{"spec":{"a":1,"list":[{"b":1,"b":{"c":1,"c":2},"b":3},{"x":1}],"a":2},"spec":{"a":9}}"#
        let value = try JSON.parse(Array(text.utf8), reportingDuplicates: &duplicates)
        #expect(duplicates == ["spec.list[0].b", "spec.list[0].b.c", "spec.a", "spec"])
        #expect(value == ["spec": ["a": 9]])
    }

    @Test("a key that appears again beyond the flat size is found")
    func duplicatesInLargeObjects() throws {
        var duplicates: [String] = []
        let members = (0..<1000).map { "\"k\($0 % 900)\":\($0)" }.joined(separator: ",")
        let value = try JSON.parse(Array("{\(members)}".utf8), reportingDuplicates: &duplicates)
        #expect(value.object?.count == 900)
        #expect(duplicates.count == 100)
        #expect(value["k5"] == 905)
        #expect(value["k899"] == 899)
    }

    @Test("an object with 300,000 members is parsed, searched, changed and compared in linear time")
    func hugeObject() throws {
        let names = (0..<300_000).map { "key-\($0)" }
        let text = "{" + names.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        var value = try JSON(parsing: text)
        #expect(value.object?.count == 300_000)
        var sum = 0
        for name in names { sum += value[name]?.int ?? 0 }
        #expect(sum == 300_000)
        for name in names.dropLast(10) { value[name] = nil }
        #expect(value.object?.keys == Array(names.suffix(10)))
    }

    @Test("an object with a 3 MB string is read and written unchanged")
    func largeString() throws {
        let text = #"{"data":""# + String(repeating: "0123456789abcde\\n", count: 180_000) + #""}"#
        #expect(try JSON(parsing: text).text == text)
    }

    @Test("any value survives writing and reading, compact, sorted and pretty", arguments: 0..<300)
    func roundTrip(seed: Int) throws {
        var random = RandomJSON(seed: UInt64(seed))
        let value = random.value(depth: 5)
        #expect(try JSON(parsing: value.encoded()) == value)
        #expect(try JSON(parsing: value.encoded(sortedKeys: true)) == value)
        #expect(try JSON(parsing: value.prettyText) == value)
        #expect(try JSON(parsing: value.encoded()).encoded() == value.encoded())
    }

    @Test("damaged input never crashes: it is refused, or read as a value that round trips", arguments: 0..<300)
    func damagedInput(seed: Int) throws {
        var random = RandomJSON(seed: UInt64(seed))
        var bytes = random.value(depth: 4).encoded()
        for _ in 0...random.below(4) {
            let place = random.below(bytes.count + 1)
            switch random.below(3) {
            case 0: bytes.insert(UInt8(random.below(256)), at: place)
            case 1: if place < bytes.count { bytes.remove(at: place) }
            default: bytes.removeLast(min(bytes.count, random.below(4)))
            }
        }
        guard let value = try? JSON(parsing: bytes) else { return }
        #expect(try JSON(parsing: value.encoded()) == value)
    }
}
