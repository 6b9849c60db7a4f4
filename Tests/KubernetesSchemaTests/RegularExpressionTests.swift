import Testing

@testable import KubernetesSchema

@Suite struct RegularExpressionTests {
    @Test(arguments: [
        ("a", "xay", true), ("^a", "xay", false), ("a$", "xa", true), ("^$", "", true), ("", "abc", true),
        ("^a*b+c?$", "aabb", true), ("^a{2,3}$", "aaaa", false), ("^(ab|cd)+$", "abcdab", true),
        ("^[^a-c]+$", "xyz", true), ("^[^a-c]+$", "xbz", false), (#"^\d{3}-\w+$"#, "123-ab_9", true),
        (#"^\D\S\W$"#, "ab!", true), ("(?i)^HeLLo$", "hEllO", true), ("^a.c$", "a\nc", false),
        ("(?s)^a.c$", "a\nc", true),
        ("(?m)^b$", "a\nb\nc", true), (#"\bfoo\b"#, "a foo b", true), (#"\bfoo\b"#, "afoob", false),
        (#"^[[:alpha:]]+$"#, "abc", true), (#"^\p{Lu}\p{Ll}+$"#, "Äbc", true), (#"^[\d.-]+$"#, "1.2-3", true),
        (#"^\x41\x{42}$"#, "AB", true), (#"^\Qa.b\E$"#, "a.b", true), ("^a??b$", "ab", true), ("x*", "", true),
        ("^(a*)*$", "aaaa", true), ("^(a|b|)*c$", "ababc", true), ("^[]a]+$", "]a", true), ("a{,2}", "a{,2}", true),
        (#"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"#, "a-b.c", true),
        (#"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"#, "a-.c", false),
    ])
    func matchesAsRE2Does(pattern: String, text: String, matches: Bool) throws {
        #expect(try RegularExpression(pattern).matches(text) == matches)
    }

    @Test(arguments: [
        ("(", "missing closing ): `(`"), (")", "unexpected ): `)`"), ("[a", "missing closing ]: `[a`"),
        ("a**", "invalid nested repetition operator: `**`"), ("*", "missing argument to repetition operator: `*`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"), ("a{1001}", "invalid repeat count: `{1001}`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"), (#"\1"#, #"invalid escape sequence: `\1`"#),
        ("[b-a]", "invalid character class range: `b-a`"), ("((a{100}){100}){100}", "expression too large"),
        (#"\"#, "trailing backslash at end of expression: ``"),
    ])
    func refusesWithGoMessages(pattern: String, message: String) {
        #expect(throws: RegularExpression.SyntaxError(message: message)) { try RegularExpression(pattern) }
    }

    @Test func deepNestingIsAnErrorNotACrash() {
        #expect(throws: RegularExpression.SyntaxError.self) {
            try RegularExpression(String(repeating: "(", count: 100_000))
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func catastrophicPatternsTakeLinearTime() throws {
        let text = String(repeating: "a", count: 5_000) + "b"
        #expect(try !RegularExpression("^(a+)+$").matches(text))
        #expect(try !RegularExpression("^(a|aa)+$").matches(text))
    }

    @Test func findsLeftmostMatches() throws {
        #expect(try RegularExpression("[0-9]+").find(in: "a12b345", limit: nil) == ["12", "345"])
        #expect(try RegularExpression("a|ab").find(in: "abab", limit: nil) == ["a", "a"])
        #expect(try RegularExpression("x*").find(in: "axb", limit: nil) == ["", "x", ""])
        #expect(try RegularExpression("[0-9]").find(in: "123", limit: 2) == ["1", "2"])
    }
}
