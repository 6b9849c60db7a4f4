import StructuredData
import Testing

@testable import KubernetesSchema

@Suite struct CELTests {
    static let schema = Schema(
        SchemaReader(dropsZeroDefaults: false) { _ in nil }.fields(
            of: [
                "type": "object",
                "properties": [
                    "name": ["type": "string"], "count": ["type": "integer"], "ratio": ["type": "number"],
                    "flag": ["type": "boolean"], "maybe": ["type": "string", "nullable": true],
                    "port": ["x-kubernetes-int-or-string": true],
                    "list": ["type": "array", "items": ["type": "integer"]],
                    "set": ["type": "array", "x-kubernetes-list-type": "set", "items": ["type": "string"]],
                    "labels": ["type": "object", "additionalProperties": ["type": "string"]],
                    "when": ["type": "string", "format": "date-time"], "data": ["type": "string", "format": "byte"],
                    "a-b": ["type": "string"], "in": ["type": "string"],
                    "nested": ["type": "object", "properties": ["x": ["type": "integer"]]],
                ],
            ]))

    static let object: JSON = [
        "name": "web", "count": 3, "ratio": 2, "flag": true, "maybe": nil, "port": 80, "list": [1, 2, 3],
        "set": ["a", "b"], "labels": ["app": "x", "tier": "y"], "when": "2026-01-02T03:04:05Z", "data": "aGk=",
        "a-b": "dash", "in": "keyword", "nested": ["x": 7],
    ]

    static func evaluate(_ source: String, budget: Int = 1_000_000) throws(CELError) -> CELValue {
        let program = try CELProgram(source, variables: [("self", CELType(schema))])
        var budget = budget
        return try program.evaluate([("self", CELValue(object, schema))], budget: &budget)
    }

    @Test(arguments: [
        // literals, operators, precedence
        "1 + 2 * 3 == 7", "(1 + 2) * 3 == 9", "7 / 2 == 3 && -7 / 2 == -3 && 7 % 4 == 3 && -7 % 4 == -3",
        "1.5 + 0.5 == 2.0", "0x10 == 16", "1u + 2u == 3u", "-9223372036854775808 < 0", "!false && !!true",
        "true ? 1 == 1 : 1 / 0 == 1", "1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3 && 1 != 2", "1 < 2.5 && 2u > 1",
        "'a' + \"b\" == 'ab' && 'a' < 'b'", "r'\\n'.size() == 2", "'\\n\\t\\x41\\u00e9\\'' == \"\\n\\tAé'\"",
        "'''a\nb'''.contains('\\n')", "b'abc' == bytes('abc')", "[1, 2] + [3] == [1, 2, 3]",
        "2 in [1, 2] && !(4 in [1])",
        "{'a': 1, 'b': 2}.size() == 2 && {'a': 1}['a'] == 1 && 'a' in {'a': 1}", "[1, 'a', true].size() == 3",
        "[[1]][0][0] == 1", "{'a': {'b': 1}}.a.b == 1", "// comment\ntrue", "type(1) == int && type('a') == string",
        // errors are absorbed by what decides
        "false && 1 / 0 == 1 || true", "1 / 0 == 1 || true", "!(1 / 0 == 1 && false)",
        // the object
        "self.name == 'web' && self.count == 3 && self.ratio == 2.0 && self.flag", "self.maybe == null",
        "self.port == 80", "has(self.nested.x) && self.nested.x == 7",
        "self.labels['app'] == 'x' && self.labels.app == 'x' && 'tier' in self.labels && size(self.labels) == 2",
        "self.a__dash__b == 'dash' && self.__in__ == 'keyword'", "self.data == b'hi'",
        "self.set == ['b', 'a'] && self.list != [3, 2, 1]", "(self.set + ['b', 'c']).size() == 3",
        // macros
        "self.list.all(x, x > 0) && !self.list.all(x, x > 1)", "self.list.exists(x, x == 2)",
        "self.list.exists_one(x, x > 2) && !self.list.exists_one(x, x > 1)", "self.list.filter(x, x > 1) == [2, 3]",
        "self.list.map(x, x * 2) == [2, 4, 6] && self.list.map(x, x > 1, x * 2) == [4, 6]",
        "self.labels.all(k, self.labels[k] != '')", "self.list.all(i, x, x == i + 1)",
        "self.labels.exists(k, v, k == 'app' && v == 'x')", "self.list.transformList(i, x, i * x) == [0, 2, 6]",
        "{'a': 1}.transformMap(k, v, v + 1) == {'a': 2}", "{'a': 1}.transformMapEntry(k, v, {v: k}) == {1: 'a'}",
        "[1, 0].exists(x, 1 / x == 1)",
        "cel.bind(x, 5, x + x == 10)", "[[3, 1], [2]].map(l, l.map(x, x + 1)) == [[4, 2], [3]]",
        "[3, 1, 2].sortBy(x, -x) == [3, 2, 1]",
        // strings
        "'hello'.startsWith('he') && 'hello'.endsWith('lo') && 'hello'.contains('ell')", "size('héllo') == 5",
        "'abc'.matches('^[a-c]+$') && matches('abc', 'b') && !'abc'.matches('^b')",
        "'TacoCat'.lowerAscii() == 'tacocat'",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b']",
        "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab'", "'aXbX'.replace('X', 'y') == 'ayby'",
        "'aXbX'.replace('X', 'y', 1) == 'aybX'", "'  a '.trim() == 'a'", "'hello'.substring(1, 3) == 'el'",
        "'hello'.indexOf('l') == 2 && 'hello'.lastIndexOf('l') == 3 && 'hello'.indexOf('l', 3) == 3",
        "'abc'.charAt(1) == 'b'",
        "'%s is %d, %.2f%%'.format(['x', 3, 1.5]) == 'x is 3, 1.50%'", "'%s'.format([[1, 'a']]) == '[1, a]'",
        "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22']", "'ab'.reverse() == 'ba'",
        // conversions
        "int('5') == 5 && int(5.9) == 5 && double('1.5') == 1.5 && string(5) == '5' && string(1.0) == '1'",
        "bool('true') && uint(3) == 3u && string(true) == 'true' && int(timestamp('1970-01-01T00:01:00Z')) == 60",
        // times
        "self.when.getFullYear() == 2026 && self.when.getMonth() == 0 && self.when.getDate() == 2",
        "self.when.getHours() == 3 && self.when.getHours('+02:00') == 5 && self.when.getDayOfWeek() == 5",
        "self.when + duration('1h') > self.when && self.when - self.when == duration('0s')",
        "duration('90m').getHours() == 1 && duration('1h30m') == duration('5400s') && string(duration('90s')) == '90s'",
        "timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-01T00:00:00+00:00') + duration('1ns')",
        "string(timestamp('2024-02-29T23:59:59.5Z') + duration('1s')) == '2024-03-01T00:00:00.5Z'",
        "timestamp('2024-12-31T00:00:00Z').getDayOfYear() == 365",
        // lists and sets
        "[1, 2, 2].isSorted() && ![2, 1].isSorted() && [1, 2].sum() == 3 && [1, 3, 2].max() == 3 && [1.5, 0.5].min() == 0.5",
        "[1, 2, 1].indexOf(1) == 0 && [1, 2, 1].lastIndexOf(1) == 2 && [].sum() == 0",
        "sets.contains([1, 2], [2]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])",
        "[3, 1, 3].distinct() == [3, 1] && [3, 1].sort() == [1, 3] && [[1], [2, [3]]].flatten() == [1, 2, [3]]",
        "[1, 2, 3].slice(1, 2) == [2] && lists.range(3) == [0, 1, 2]",
        // optionals
        "optional.of(1).value() == 1 && !optional.none().hasValue() && optional.none().orValue(2) == 2",
        "self.?name.orValue('x') == 'web' && {'a': 1}[?'b'].orValue(3) == 3 && [1][?5].orValue(9) == 9",
        "optional.of(2).optMap(x, x * 2).value() == 4 && [?optional.none(), 1].size() == 1",
        // Kubernetes
        "quantity('1.5Gi').isGreaterThan(quantity('1G')) && quantity('500m') == quantity('0.5') && isQuantity('1Ki')",
        "quantity('1k').asInteger() == 1000 && !quantity('1.5').isInteger() && quantity('1').add(1) == quantity('2')",
        "quantity('50M').compareTo(quantity('50Mi')) == -1 && !isQuantity('1 k')",
        "isURL('https://a.b:80/c?d=e') && url('https://a.b:80/c?d=e').getPort() == '80' && !isURL('a b')",
        "url('https://u@a.b:80/c?d=e').getHostname() == 'a.b' && url('https://a.b/c?d=e').getQuery() == {'d': ['e']}",
        "isIP('10.0.0.1') && !isIP('10.0.0.256') && ip('::1').isLoopback() && ip('10.0.0.1').family() == 4",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
        "cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8') && string(ip('2001:DB8:0:0::1')) == '2001:db8::1'",
        "format.dns1123Label().validate('Bad_').hasValue() && !format.dns1123Label().validate('good').hasValue()",
        "format.named('uuid').hasValue() && !format.named('nope').hasValue()",
        "semver('1.2.3').isLessThan(semver('1.10.0')) && isSemver('1.0.0-rc.1') && !isSemver('v1') && semver('v1.2', true).minor() == 2",
    ])
    func holds(source: String) throws {
        guard case .bool(let value) = try Self.evaluate(source) else {
            Issue.record("no boolean")
            return
        }
        #expect(value)
    }

    @Test(arguments: [
        ("1 / 0", "division by zero"), ("1 % 0", "modulus by zero"), ("9223372036854775807 + 1", "integer overflow"),
        ("-(-9223372036854775808)", "integer overflow"), ("{'a': 1}['b']", "no such key: b"),
        ("[1][1]", "index out of bounds: 1"),
        ("[1][-1]", "index out of bounds: -1"), ("self.port + 'a' == 'b'", "no such overload"),
        ("int('x')", "type conversion error from 'string' to 'int'"),
        ("'abc'.substring(2, 1)", "invalid substring range. start: 2, end: 1"),
        ("'abc'.charAt(9)", "index out of range: 9"),
        ("int(1e300)", "integer overflow"), ("optional.none().value()", "optional.none() dereference"),
        ("[].max()", "max called on empty list"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp out of range"),
        (
            "quantity('x')",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ),
        ("'a'.matches(self.name + '(')", "error parsing regexp: missing closing ): `web(`"),
        ("'%d'.format(['a'])", "error during formatting: string cannot be formatted as %d"),
        ("'%s %s'.format(['a'])", "index 1 out of range"),
        ("-(duration('0s') - duration('1s')) == duration('1s') ? 1 / 0 : 0", "division by zero"),
    ])
    func failsWith(source: String, message: String) {
        let error = #expect(throws: CELError.self) { try Self.evaluate(source) }
        #expect(error?.message == message)
    }

    @Test(arguments: [
        ("self.nme == 'x'", "undefined field 'nme'"),
        ("other == 1", "undeclared reference to 'other' (in container '')"),
        ("frobnicate(1)", "undeclared reference to 'frobnicate' (in container '')"),
        ("self.name.frobnicate()", "undeclared reference to 'frobnicate' (in container '')"),
        ("self.name == 1", "found no matching overload for '_==_' applied to '(string, int)'"),
        ("self.count + 1.5 > 2.0", "found no matching overload for '_+_' applied to '(int, double)'"),
        ("self.name.startsWith(1)", "found no matching overload for 'startsWith' applied to 'string.(int)'"),
        ("self.name.x", "type 'string' does not support field selection"),
        ("self.name && true", "expected type 'bool' but found 'string'"),
        ("self.list.all(x, x + 1)", "found no matching overload for 'all' applied to '(int)'"),
        (
            "self.name.all(x, true)",
            "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)"
        ),
        ("self.name.matches('(')", "invalid matches argument: error parsing regexp: missing closing ): `(`"),
        ("has(self)", "invalid argument to has() macro"), ("self.list.all(1, true)", "argument must be a simple name"),
        ("1 +", "Syntax error: mismatched input '<EOF>'"), ("(1", "Syntax error: mismatched input '<EOF>'"),
        ("a b", "Syntax error: mismatched input 'b'"),
        ("'abc", "Syntax error: unterminated string literal"),
        ("1 # 2", "Syntax error: token recognition error at: '#'"),
        ("99999999999999999999", "invalid int literal"), ("if(true)", "Syntax error: mismatched input 'if'"),
        ("", "Syntax error: mismatched input '<EOF>'"),
        ("'\\q'", "Syntax error: invalid escape sequence"), ("Foo{a: 1}", "undeclared reference to a message type"),
    ])
    func doesNotCompile(source: String, message: String) {
        let error = #expect(throws: CELError.self) {
            try CELProgram(source, variables: [("self", CELType(Self.schema))])
        }
        #expect(error?.message == message)
    }

    @Test func placesAreShownAsCELGoDoes() {
        let error = #expect(throws: CELError.self) {
            try CELProgram("true &&\n self.nme", variables: [("self", CELType(Self.schema))])
        }
        #expect(
            error?.description(in: "true &&\n self.nme")
                == "ERROR: <input>:2:6: undefined field 'nme'\n |  self.nme\n | .....^")
    }

    @Test(
        .timeLimit(.minutes(10)),
        arguments: [
            "[0,1,2,3,4,5,6,7,8,9].all(a, [0,1,2,3,4,5,6,7,8,9].all(b, [0,1,2,3,4,5,6,7,8,9].all(c, [0,1,2,3,4,5,6,7,8,9].all(d, [0,1,2,3,4,5,6,7,8,9].all(e, [0,1,2,3,4,5,6,7,8,9].all(f, true))))))",
            "lists.range(9223372036854775807).size() > 0",
            "lists.range(900000).all(x, lists.range(900000).all(y, true))",
            "cel.bind(a, 'xxxxxxxxxx', cel.bind(b, a+a+a+a+a+a+a+a+a+a, cel.bind(c, b+b+b+b+b+b+b+b+b+b, cel.bind(d, c+c+c+c+c+c+c+c+c+c, cel.bind(e, d+d+d+d+d+d+d+d+d+d, cel.bind(f, e+e+e+e+e+e+e+e+e+e, cel.bind(g, f+f+f+f+f+f+f+f+f+f, g+g+g+g+g+g+g+g+g+g == '')))))))",
        ])
    func dearExpressionsAreStopped(source: String) {
        let error = #expect(throws: CELError.self) { try Self.evaluate(source) }
        #expect(error?.kind == .budget)
    }

    @Test(arguments: [
        String(repeating: "(", count: 100_000), String(repeating: "!", count: 99_999) + "true",
        String(repeating: "[", count: 50_000), String(repeating: "-", count: 50_001) + "1",
        "1" + String(repeating: "+1", count: 40_000), "self" + String(repeating: ".nested", count: 10_000),
        String(repeating: "true ? ", count: 10_000), "x" + String(repeating: "[0", count: 40_000),
    ])
    func deepExpressionsAreErrorsNotCrashes(source: String) {
        _ = try? Self.evaluate(source)
    }

    @Test func longChainsOfConditionsWork() throws {
        let source = (0..<2_000).map { "self.count != \($0 + 10)" }.joined(separator: " && ")
        guard case .bool(true) = try Self.evaluate(source) else {
            Issue.record("should hold")
            return
        }
    }
}
