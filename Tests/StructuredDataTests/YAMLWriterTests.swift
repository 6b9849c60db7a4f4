import StructuredData
import Testing

@Suite("YAML writer")
struct YAMLWriterTests {
    /// The expected text is the output of kubectl 1.32 for the same object.
    @Test("lays text out as kubectl -o yaml does")
    func layout() throws {
        let value: JSON = [
            "apiVersion": "v1",
            "data": [
                "1.5": "a", "b60": "1:20", "b60b": "1:99", "bin": "0b1", "colon": "a: b",
                "date": "2001-12-14T21:59:43Z",
                "date2": "2001-1-1", "dot": ".5", "dq": "\"a\"", "e2": [:], "e3": [], "emoji": "😀", "empty": "",
                "eq": "=", "hash": "a #b", "inf": ".inf",
                "long":
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccccccc ddddd",
                "m2": "a \nb", "m3": "  a\nb", "m4": "a\tb", "m5": "a\n\n\n", "m6": "\na", "multi": "a\nb\n",
                "nested": [[1, 2], [["a": 1, "b": [1]]]], "num": "1e3", "octal": "0777", "quote": "'a'", "sp": " x",
                "tilde": "~", "true": "c", "us": "1_000", "v": [true, 511, 1.5, nil, "yes", "0b", "-"],
            ],
        ]
        #expect(YAML.write(value) == Self.layoutOfKubectl)
    }

    private static let layoutOfKubectl = """
        apiVersion: v1
        data:
          "1.5": a
          b60: "1:20"
          b60b: 1:99
          bin: "0b1"
          colon: 'a: b'
          date: "2001-12-14T21:59:43Z"
          date2: "2001-1-1"
          dot: ".5"
          dq: '"a"'
          e2: {}
          e3: []
          emoji: "\\U0001F600"
          empty: ""
          eq: =
          hash: 'a #b'
          inf: ".inf"
          long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccccccccc
            ddddd
          m2: "a \\nb"
          m3: |2-
              a
            b
          m4: "a\\tb"
          m5: |+
            a


          m6: |2-

            a
          multi: |
            a
            b
          nested:
          - - 1
            - 2
          - - a: 1
              b:
              - 1
          num: "1e3"
          octal: "0777"
          quote: '''a'''
          sp: ' x'
          tilde: "~"
          "true": c
          us: "1_000"
          v:
          - true
          - 511
          - 1.5
          - null
          - "yes"
          - 0b
          - '-'

        """

    @Test("documents are separated, members sorted on demand, scalars stand alone")
    func documents() {
        #expect(YAML.write(documents: [["a": 1], ["b"]]) == "a: 1\n---\n- b\n")
        #expect(YAML.write(["b": 1, "a": ["d": 1, "c": 2]], sortedKeys: true) == "a:\n  c: 2\n  d: 1\nb: 1\n")
        #expect(YAML.write(["b": 1, "a": 2]) == "b: 1\na: 2\n")
        #expect(YAML.write(documents: []) == "")
    }

    @Test("text that a reader would take for something else survives, as key and as value")
    func misleadingText() throws {
        for text in RandomJSON.scalarsThatMislead {
            let value: JSON = [text: .string(text), "list": [.string(text)], "map": ["k": .string(text)]]
            let yaml = YAML.write(value)
            #expect(try YAML.parse(yaml) == [value], "\(yaml)")
            #expect(try YAML.parse(YAML.write(.string(text))) == [.string(text)])
        }
    }

    @Test("any value survives writing and reading, numbers by their text", arguments: 0..<400)
    func roundTrip(seed: Int) throws {
        var random = RandomJSON(seed: UInt64(seed))
        let values = [random.value(depth: 5), random.value(depth: 3)]
        let yaml = YAML.write(documents: values)
        let read = try YAML.parse(yaml)
        #expect(read == values)
        #expect(read.map(\.text) == values.map(\.text))
    }
}
