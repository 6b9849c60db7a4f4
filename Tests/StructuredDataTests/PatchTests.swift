import StructuredData
import Testing

@Suite("JSON Patch and merge patch")
struct PatchTests {
    private func patched(_ document: String, _ patch: String) throws -> String {
        try JSONPatch(JSON(parsing: patch)).apply(to: JSON(parsing: document)).text
    }

    @Test(
        "operations give what RFC 6902 says",
        arguments: [
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"foo":"bar","baz":"qux"}"#),
            (#"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"q"}]"#, #"{"foo":["bar","q","baz"]}"#),
            (#"{"foo":[1]}"#, #"[{"op":"add","path":"/foo/-","value":[2]}]"#, #"{"foo":[1,[2]]}"#),
            (#"{"foo":[1]}"#, #"[{"op":"add","path":"/foo/1","value":2}]"#, #"{"foo":[1,2]}"#),
            (#"{"a":1}"#, #"[{"op":"add","path":"/a","value":2}]"#, #"{"a":2}"#),
            (#"{"a":1}"#, #"[{"op":"add","path":"","value":[]}]"#, "[]"),
            (#"{"a":1}"#, #"[{"op":"replace","path":"","value":2}]"#, "2"),
            (#"{"a":1,"b":2}"#, #"[{"op":"remove","path":"/a"}]"#, #"{"b":2}"#),
            (#"[1,2,3]"#, #"[{"op":"remove","path":"/1"}]"#, "[1,3]"),
            (#"[1,2,3]"#, #"[{"op":"replace","path":"/1","value":9}]"#, "[1,9,3]"),
            (#"{"a":1,"b":2}"#, #"[{"op":"replace","path":"/a","value":null}]"#, #"{"a":null,"b":2}"#),
            (#"{"a":{"x":1},"b":{}}"#, #"[{"op":"move","from":"/a/x","path":"/b/y"}]"#, #"{"a":{},"b":{"y":1}}"#),
            (#"[1,2,3,4]"#, #"[{"op":"move","from":"/1","path":"/3"}]"#, "[1,3,4,2]"),
            (#"{"a":[1]}"#, #"[{"op":"copy","from":"/a","path":"/b"}]"#, #"{"a":[1],"b":[1]}"#),
            (
                #"{"a/b":1,"m~n":2}"#, #"[{"op":"remove","path":"/a~1b"},{"op":"replace","path":"/m~0n","value":3}]"#,
                #"{"m~n":3}"#
            ),
            (#"{"":{"0":1}}"#, #"[{"op":"replace","path":"//0","value":2}]"#, #"{"":{"0":2}}"#),
            (#"{"a":{"b":1,"c":2}}"#, #"[{"op":"test","path":"/a","value":{"c":2,"b":1.0}}]"#, #"{"a":{"b":1,"c":2}}"#),
            (#"{"a":0.50}"#, #"[{"op":"test","path":"/a","value":5e-1}]"#, #"{"a":0.50}"#),
        ])
    func operations(document: String, patch: String, expected: String) throws {
        #expect(try patched(document, patch) == expected)
    }

    @Test(
        "a wrong patch says why",
        arguments: [
            (#"{}"#, #"{"op":"add"}"#, JSONPatchError.Reason.malformed),
            (#"{}"#, #"[{"op":"frobnicate","path":"/a"}]"#, .malformed),
            (#"{}"#, #"[{"op":"add","path":"/a"}]"#, .malformed),
            (#"{}"#, #"[{"op":"add","path":"a","value":1}]"#, .malformed),
            (#"{}"#, #"[{"op":"remove","path":"/a~2"}]"#, .malformed),
            (#"{"a":{}}"#, #"[{"op":"move","from":"/a","path":"/a/b"}]"#, .malformed),
            (#"{}"#, #"[{"op":"remove","path":""}]"#, .malformed),
            (#"{}"#, #"[{"op":"remove","path":"/a"}]"#, .noSuchPath),
            (#"{}"#, #"[{"op":"replace","path":"/a","value":1}]"#, .noSuchPath),
            (#"{}"#, #"[{"op":"add","path":"/a/b","value":1}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"add","path":"/2","value":1}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"add","path":"/01","value":1}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"add","path":"/-1","value":1}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"remove","path":"/-"}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"remove","path":"/1"}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"replace","path":"/1","value":1}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"move","from":"/5","path":"/0"}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"copy","from":"/1","path":"/0"}]"#, .noSuchPath),
            (#"[1]"#, #"[{"op":"test","path":"/1","value":null}]"#, .noSuchPath),
            (#"{"a":"x"}"#, #"[{"op":"add","path":"/a/b","value":1}]"#, .noSuchPath),
            (#"{"a":1}"#, #"[{"op":"test","path":"/a","value":"1"}]"#, .testFailed),
            (#"{}"#, #"[{"op":"test","path":"/a","value":null}]"#, .noSuchPath),
        ])
    func wrongPatches(document: String, patch: String, reason: JSONPatchError.Reason) throws {
        let error = try #require(throws: JSONPatchError.self) { try patched(document, patch) }
        #expect(error.reason == reason)
    }

    @Test("copies of copies and ever deeper additions are stopped")
    func bombs() throws {
        let doubling = JSONPatch(
            (0..<60).map { .copy(from: JSONPointer(tokens: []), to: JSONPointer(tokens: ["\($0)"])) })
        #expect(throws: JSONPatchError.self) { try doubling.apply(to: ["a": 1]) }
        let text = JSON.string(String(repeating: "x", count: 1 << 20))
        let long = JSONPatch(
            (0..<3).map { .copy(from: JSONPointer(tokens: ["a"]), to: JSONPointer(tokens: ["\($0)"])) })
        #expect(throws: JSONPatchError.self) { try long.apply(to: ["a": text]) }
        var tokens: [String] = []
        var deeper: [JSONPatch.Operation] = []
        for _ in 0..<600 {
            tokens.append("a")
            deeper.append(.add(JSONPointer(tokens: tokens), [:]))
        }
        #expect(throws: JSONPatchError.self) { try JSONPatch(deeper).apply(to: [:]) }
        let many = JSON.array(Array(repeating: ["op": "test", "path": "", "value": 1], count: 10_001))
        #expect(throws: JSONPatchError.self) { try JSONPatch(many) }
    }

    @Test(
        "pointers are read and written with their escapes",
        arguments: ["", "/", "/a/b", "/a~1b/m~0n", "/~01", "//x", "/~0\u{301}", "/a~1\u{301}b"])
    func pointers(text: String) throws {
        #expect(try #require(JSONPointer(text)).description == text)
    }

    @Test(
        "merge patches give what RFC 7386 appendix A lists",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#), (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#), ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func mergePatch(target: String, patch: String, expected: String) throws {
        let result = MergePatch.apply(try JSON(parsing: patch), to: try JSON(parsing: target))
        #expect(result.text == expected)
    }

    @Test("the difference of two values, applied to the one, gives the other", arguments: 0..<200)
    func mergeDifference(seed: Int) {
        var random = RandomJSON(seed: UInt64(seed))
        let old = withoutNulls(["a": random.value(), "b": random.value(), "c": random.value()])
        var new = old
        new["a"] = withoutNulls(random.value())
        new["b"]?[random.text()] = withoutNulls(random.value())
        #expect(MergePatch.apply(MergePatch.diff(from: old, to: new), to: old) == new)
        #expect(MergePatch.diff(from: old, to: old) == [:])
    }

    /// A merge patch cannot set null.
    private func withoutNulls(_ value: JSON) -> JSON {
        guard var object = value.object else { return value.isNull ? 0 : value }
        object.updateValues { _, member in member = withoutNulls(member) }
        return .object(object)
    }
}
