import StructuredData
import Testing

@Suite("JSON value")
struct JSONValueTests {
    @Test("members are read, set, replaced and removed by key, keeping their order")
    func members() {
        var value: JSON = ["b": 1, "a": 2]
        value["b"] = 3
        value["c"] = [true, nil]
        #expect(value.text == #"{"b":3,"a":2,"c":[true,null]}"#)
        value["a"] = nil
        #expect(value.object?.keys == ["b", "c"])
        #expect(value["missing"] == nil)
        #expect(value["c"]?[0] == true)
        #expect(value["c"]?[2] == nil)
    }

    @Test("a path of keys is read and set; objects on the way are made, but not in order to remove")
    func paths() {
        var value: JSON = [:]
        value.set(3, at: "spec", "replicas")
        value.set(nil, at: "status", "x")
        #expect(value == ["spec": ["replicas": 3]])
        #expect(value.at("spec", "replicas")?.int == 3)
        value.set(nil, at: "spec", "replicas")
        #expect(value == ["spec": [:]])
        value.set("x", at: "spec")
        value.set(1, at: "spec", "a", "b")
        #expect(value == ["spec": ["a": ["b": 1]]])
    }

    @Test("nested values change in place through keys, arrays and objects")
    func nestedChanges() {
        var value: JSON = ["spec": ["containers": [["name": "a"], ["name": "b"]]]]
        value["spec"]?["containers"]?.array?[1]["image"] = "x"
        value["spec"]?["containers"]?.array?.append("last")
        value["status"]?["x"] = 1
        value.object?["kind"] = "Pod"
        #expect(
            value == [
                "spec": ["containers": [["name": "a"], ["name": "b", "image": "x"], "last"]], "kind": "Pod",
            ])
        var text: JSON = "a"
        text["k"] = nil
        #expect(text == "a")
        text.array?.append(1)
        #expect(text == "a")
        text["k"] = 1
        #expect(text == ["k": 1])
    }

    @Test("equality and hash ignore the order of members, not that of elements")
    func equality() {
        let first: JSON = ["a": 1, "b": ["c": [1, 2], "d": nil]]
        let second: JSON = ["b": ["d": nil, "c": [1, 2]], "a": 1]
        #expect(first == second)
        #expect(first.hashValue == second.hashValue)
        #expect(first != ["a": 1, "b": ["c": [2, 1], "d": nil]])
        #expect(JSON.object(["a": 1]) != ["a": 1, "b": 2])
        #expect(JSON.object(["a": nil]) != ["b": nil])
        #expect(JSON.null != false)
    }

    @Test("equality of large objects ignores order and holes")
    func equalityOfLargeObjects() {
        var forwards = JSONObject((0..<200).map { ("k\($0)", JSON($0)) })
        let backwards = JSONObject((0..<200).reversed().map { ("k\($0)", JSON($0)) })
        #expect(forwards == backwards)
        forwards["k7"] = nil
        #expect(forwards != backwards)
        #expect(forwards.count == 199)
        #expect(!forwards.keys.contains("k7"))
        forwards["k7"] = 7
        #expect(forwards == backwards)
        #expect(forwards.keys.last == "k7")
        #expect(forwards.hashValue == backwards.hashValue)
    }

    @Test("strings and keys with other bytes are others, though Unicode calls them equivalent")
    func bytewiseStrings() throws {
        #expect(JSON.string("\u{E9}") != JSON.string("e\u{301}"))
        let value = try JSON(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value.object?.count == 2)
        #expect(value["e\u{301}"] == 2)
    }

    @Test(
        "numbers are integers when their exact value is one",
        arguments: [
            ("0", 0), ("-0", 0), ("1e3", 1000), ("2.0", 2), ("1.5e1", 15), ("100e-2", 1), ("-12.50e1", -125),
            ("9007199254740993.0", 9_007_199_254_740_993), ("9223372036854775807", Int.max),
            ("-9223372036854775808", Int.min), ("0e999999999999", 0), ("0.000", 0), ("1e18", 1_000_000_000_000_000_000),
            ("9223372036854775808", nil), ("1e19", nil), ("1e999999999", nil), ("1e99999999999999999999", nil),
            ("0.5", nil), ("1e-1", nil), ("1e-999999999", nil), ("12345678901234567890.0", nil),
        ] as [(String, Int?)])
    func integers(text: String, expected: Int?) throws {
        #expect(try JSON(parsing: text).int == expected)
    }

    @Test("numbers of one value are equal and have equal hashes")
    func numberEquality() throws {
        for (left, right) in [
            ("1", "1.0"), ("1000", "1e3"), ("0", "-0"), ("2", "2.00"), ("0.5", "0.50"), ("0.1", "1e-1"),
            ("0", "-0.0e7"), ("-12.5", "-125E-1"), ("12345678901234567890", "1234567890123456789.0e1"),
            ("1e400", "10e+399"),
        ] {
            let (left, right) = (try JSON(parsing: left), try JSON(parsing: right))
            #expect(left == right)
            #expect(left.hashValue == right.hashValue)
        }
        for (left, right) in [
            ("9007199254740993", "9007199254740992"), ("0.1", "0.10000000000000000001"), ("0.5", "-0.5"), ("0.5", "5"),
            ("1e400", "1e401"), ("0", "1e-400"), ("0", "1e-99999999999999999999"),
        ] {
            #expect(try JSON(parsing: left) != JSON(parsing: right))
        }
    }

    @Test("doubles are written so that they read back, and never as something that is not JSON")
    func doubles() throws {
        for value in [0.1, -0.0, 1e15, 1e300, Double.leastNonzeroMagnitude, 123_456.789, -2, 1e-7] {
            #expect(try JSON(parsing: JSON(floatLiteral: value).text).double == value)
        }
        for value in [Double.infinity, -.infinity, .nan] {
            #expect(try JSON(parsing: JSON(floatLiteral: value).text).double?.isFinite == true)
        }
        #expect(JSONNumber(3.0).text == "3")
    }

    @Test("sorted keys are in the order of their bytes")
    func sortedKeys() {
        let value: JSON = ["b": 1, "a": ["z": 1, "Z": 2], "é": 0, "~": 0, "": 0]
        let text = String(decoding: value.encoded(sortedKeys: true), as: UTF8.self)
        #expect(text == #"{"":0,"a":{"Z":2,"z":1},"b":1,"~":0,"é":0}"#)
    }

    @Test("pretty text is laid out as kubectl -o json lays it out")
    func pretty() {
        let value: JSON = ["a": [1, [:], []], "b": ["c": "d"]]
        #expect(
            value.prettyText == """
                {
                    "a": [
                        1,
                        {},
                        []
                    ],
                    "b": {
                        "c": "d"
                    }
                }
                """)
    }

    @Test("values of members can be updated in place, and members dropped")
    func bulkChanges() {
        for count in [3, 100] {
            var object = JSONObject((0..<count).map { ("k\($0)", JSON($0)) })
            object["k1"] = nil
            object.updateValues { _, value in value = .string("v\(value.int ?? -1)") }
            #expect(object["k2"] == "v2")
            object.keepMembers { key, _ in key == "k2" }
            #expect(JSON.object(object) == ["k2": "v2"])
        }
    }
}
