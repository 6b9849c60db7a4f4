import StructuredData
import Testing

@Suite("YAML parser")
struct YAMLParserTests {
    /// What kubectl 1.32 printed for each scalar; only the texts of numbers differ, because ours are kept.
    @Test(
        "reads plain scalars as kubectl does",
        arguments: [
            ("yes", true), ("y", true), ("On", true), ("TRUE", true), ("N", false), ("off", false), ("No", false),
            ("0777", 511), ("0o17", 15), ("0x1F", 31), ("-0x1", -1), ("0b11", 3), ("1_000", 1000), ("1__0", 10),
            ("0_", 0), ("+1", 1), ("08", 8), (".5", 0.5), ("+.5", 0.5), ("5.", 5), ("0.", 0), ("1e3", 1000), ("1.0", 1),
            ("-0", 0), ("~", nil), ("Null", nil), ("2001-01-01", "2001-01-01"), ("12:30:45", "12:30:45"), ("=", "="),
            ("0b", "0b"), ("-", "-"), ("yEs", "yEs"), ("nULL", "nULL"), ("1.2.3", "1.2.3"), ("+", "+"), ("1e", "1e"),
            ("0x", "0x"), ("0xg", "0xg"), ("--1", "--1"), ("0x-1", "0x-1"), ("250m", "250m"), ("1Gi", "1Gi"),
        ] as [(String, JSON)])
    func plainScalars(text: String, expected: JSON) throws {
        #expect(try YAML.parse("[\(text)]") == [[expected]])
        #expect(
            try YAML.parse("['\(text)', \"\(text)\", !!str \(text)]") == [
                [.string(text), .string(text), .string(text)]
            ])
    }

    @Test("the texts of numbers are kept where JSON can spell them")
    func numberTexts() throws {
        let value = try #require(try YAML.parse("[1.10, 1e3, 123456789012345678901234567890, -1.50E+2]").first)
        #expect(value.text == "[1.10,1e3,123456789012345678901234567890,-1.50E+2]")
    }

    @Test("a stream gives all its documents; an empty one is null; nothing gives none")
    func documents() throws {
        #expect(try YAML.parse("a: 1\n---\n- b\n---\n--- # note\n\"c\"\n...\n") == [["a": 1], ["b"], nil, "c"])
        #expect(try YAML.parse("") == [])
        #expect(try YAML.parse("# only a comment\n") == [])
        #expect(try YAML.parse("\u{FEFF}a: 1") == [["a": 1]])
    }

    @Test("block scalars, flow collections and JSON are read")
    func styles() throws {
        let text = """
            literal: |
              one
               two
            folded: >-
              three
              four
            flow: {a: [1, "x"], b: }
            json: {"a":{"b":[true,null,"\\u00e9"]}}
            """
        #expect(
            try YAML.parse(text) == [
                [
                    "literal": "one\n two\n", "folded": "three four", "flow": ["a": [1, "x"], "b": nil],
                    "json": ["a": ["b": [true, nil, "é"]]],
                ]
            ])
    }

    @Test("keys become strings, and keep their order")
    func keys() throws {
        let value = try #require(try YAML.parse("{b: 1, 1.5: 2, 0x10: 3, on: 4, \"on\": 5}").first)
        #expect(value.text == #"{"b":1,"1.5":2,"16":3,"true":4,"on":5}"#)
    }

    @Test("aliases and merge keys are expanded; own keys win over merged, earlier sources over later")
    func aliases() throws {
        let text = """
            base: &base {image: a, env: [1]}
            other: &other {image: b, tag: x}
            one: {<<: *base, image: c}
            two:
              own: 1
              <<: [*base, *other]
            again: [*base, &s text, *s]
            quoted: {"<<": 1}
            """
        let value = try #require(try YAML.parse(text).first)
        #expect(value["one"] == ["image": "c", "env": [1]])
        #expect(value["two"] == ["own": 1, "image": "a", "env": [1], "tag": "x"])
        #expect(value["again"] == [["image": "a", "env": [1]], "text", "text"])
        #expect(value["quoted"] == ["<<": 1])
    }

    @Test(
        "an error names the line and what to do",
        arguments: [
            ("a: 1\nb: 2\na: 3", "line 3: the key \"a\" is already set on line 1; remove one of the two"),
            (
                "x:\n- {a: 1, on: 1, true: 2}",
                "line 2: the key \"true\" is already set on line 2; remove one of the two"
            ),
            ("a: *x", "line 1: the alias *x has no anchor; write &x before the value it stands for"),
            ("a: &x [*x]", "line 1: the alias *x has no anchor; write &x before the value it stands for"),
            (
                "a: 1\n---\na: &x 1\n---\nb: *x",
                "line 5: the alias *x has no anchor; write &x before the value it stands for"
            ),
            ("\n? [a]\n: 1", "line 2: a list or mapping cannot be a key; use a string"),
            ("~: 1", "line 1: a key is missing or null; quote it if the text \"null\" or \"~\" is meant"),
            ("a: .inf", "line 1: .inf is not a number in JSON; quote it if it is meant as text"),
            ("a: !!binary aGk=", "line 1: the tag !!binary is not supported; write the base64 text as a string"),
            ("a:\n  <<: 1", "line 2: the merge key << needs a mapping or a list of mappings"),
        ])
    func errors(text: String, expected: String) throws {
        let error = try #require(throws: YAMLError.self) { try YAML.parse(text) }
        #expect(error.description == expected)
    }

    @Test(
        "what libyaml refuses is an error with its line",
        arguments: [
            ("a: 1\nb: @x", 2, "found character that cannot start any token; indent with spaces"),
            ("a:\n  b: 1\n\tc: 2", 3, "tab"), ("a: b: c", 1, "quote text that contains"),
            ("a: [1,\nb", 2, "expected ',' or ']'"),
            ("a: \"x\n", 2, "end of stream"), ("a: 1\n b: 2", 2, "quote text that contains"),
            ("a: \u{7}x", 1, "control characters"),
            ("%YAML 9.9\n---\na", 1, "incompatible"),
        ])
    func syntaxErrors(text: String, line: Int, part: String) throws {
        let error = try #require(throws: YAMLError.self) { try YAML.parse(text) }
        #expect(error.line == line)
        #expect(error.message.contains(part), "\(error)")
    }

    @Test("bytes that are not UTF-8 are refused")
    func invalidUTF8() throws {
        let error = try #require(throws: YAMLError.self) { try YAML.parse(Array("a: 1\nb: ".utf8) + [0xFF, 0xFE]) }
        #expect(error.line == 2)
        #expect(error.message.contains("UTF-8"))
    }

    @Test("an alias bomb is an error, whether of lists or of merge keys", arguments: [false, true])
    func aliasBomb(merges: Bool) throws {
        var text = merges ? "a0: &a0 {k: [x]}\n" : "a0: &a0 [x, x, x]\n"
        for level in 1..<40 {
            let copies = (0..<9).map { merges ? "k\($0): {<<: *a\(level - 1)}" : "*a\(level - 1)" }
            let list = copies.joined(separator: ", ")
            text += "a\(level): &a\(level) \(merges ? "{\(list)}" : "[\(list)]")\n"
        }
        let error = try #require(throws: YAMLError.self) { try YAML.parse(text) }
        #expect(error.message == "aliases stand for more than 100000 values; write the values out or use fewer aliases")
    }

    @Test("nesting of 10,000 levels is an error, written out or through aliases", arguments: [0, 1, 2])
    func deepNesting(kind: Int) throws {
        var text = ""
        switch kind {
        case 0: text = String(repeating: "[", count: 10_000)
        case 1: text = String(repeating: "- ", count: 10_000)
        default:
            text = "- &a0 []\n"
            for level in 1..<400 { text += "- &a\(level) [*a\(level - 1)]\n" }
        }
        let error = try #require(throws: YAMLError.self) { try YAML.parse(text) }
        #expect(error.message == "nested deeper than 256 levels")
    }

    @Test("a mapping with 100,000 keys and a text of 3 MB are read")
    func largeInputs() throws {
        let keys = (0..<100_000).map { "key-\($0): \($0)\n" }.joined()
        #expect(try YAML.parse(keys).first?["key-99999"] == 99_999)
        let text = String(repeating: "0123456789\n  ", count: 250_000)
        #expect(try YAML.parse("a: |\n  \(text)").first?["a"]?.string?.utf8.count == 2_750_000)
        #expect(throws: YAMLError.self) { try YAML.parse(text, limits: YAMLLimits(json: JSONLimits(maxBytes: 1000))) }
    }

    @Test("damaged input never crashes", arguments: 0..<200)
    func damagedInput(seed: Int) {
        var random = RandomJSON(seed: UInt64(seed))
        var bytes = Array(YAML.write(random.value(depth: 4)).utf8)
        for _ in 0...random.below(4) {
            let place = random.below(bytes.count + 1)
            let marks = Array("&*!|>{}[]:-?#%@\t\n '\"\\".utf8)
            if random.below(2) == 0 { bytes.insert(marks[random.below(marks.count)], at: place) }
            if random.below(2) == 0, place < bytes.count { bytes.remove(at: place) }
        }
        guard let documents = try? YAML.parse(bytes) else { return }
        #expect((try? YAML.parse(YAML.write(documents: documents))) == documents)
    }
}
