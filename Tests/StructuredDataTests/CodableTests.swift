import StructuredData
import Testing

@Suite("Codable")
struct CodableTests {
    struct App: Codable, Equatable {
        enum Phase: String, Codable { case ready = "Ready", pending = "Pending" }
        struct Service: Codable, Equatable {
            var replicas: Int
            var ratio: Double?
            var ports: [UInt16]
        }

        var name: String
        var phase: Phase?
        var services: [String: Service]
        var extra: JSON?
        var small: Int8 = 1
        var big: UInt64 = .max
        var isOn = true
        var tags: [[String]] = [["a"], []]
    }

    let app = App(
        name: "todo", phase: .ready, services: ["api": .init(replicas: 2, ratio: 0.1, ports: [80, 443])],
        extra: ["k": [1.10, nil, "x"]])

    @Test("a value survives encoding and decoding; absent optionals are left out, JSON members pass unchanged")
    func roundTrip() throws {
        let json = try JSON(encoding: app)
        #expect(json["services"]?["api"] == ["replicas": 2, "ratio": 0.1, "ports": [80, 443]])
        #expect(json["extra"] == ["k": [1.10, nil, "x"]])
        #expect(json["big"]?.number?.text == "18446744073709551615")
        #expect(try json.decode(App.self) == app)
        #expect(try JSON(encoding: App(name: "x", services: [:])).object?.contains("phase") == false)
        #expect(try JSON(encoding: [Int?.some(1), nil]) == [1, nil])
        #expect(try JSON(encoding: "x") == "x")
        #expect(try JSON(parsing: "[1,null]").decode([Int?].self) == [1, nil])
    }

    @Test(
        "a decoding error has a readable path and says what was expected",
        arguments: [
            (["services", "api", "replicas"], "2", "services.api.replicas: expected an integer, found a string"),
            (["services", "api", "replicas"], 1.5, "services.api.replicas: expected an integer, found a number"),
            (["services", "api", "replicas"], nil, "services.api.replicas: expected an integer, found null"),
            (["services", "api", "ports"], [80, "x"], "services.api.ports[1]: expected an integer, found a string"),
            (
                ["services", "api", "ports"], [70_000],
                "services.api.ports[0]: expected an integer from 0 to 65535, found 70000"
            ),
            (["services", "api", "ports"], [:], "services.api.ports: expected an array, found an object"),
            (["services", "api"], [], "services.api: expected an object, found an array"),
            (["services", "api"], [:], "services.api.replicas: required, but missing"),
            (["name"], true, "name: expected a string, found a boolean"),
            (["isOn"], "true", "isOn: expected true or false, found a string"),
            (["phase"], "Odd", "phase: Cannot initialize Phase from invalid String value Odd"),
        ] as [([String], JSON, String)])
    func errors(path: [String], value: JSON, expected: String) throws {
        var json = try JSON(encoding: app)
        switch path.count {
        case 1: json.set(value, at: path[0])
        case 2: json.set(value, at: path[0], path[1])
        default: json.set(value, at: path[0], path[1], path[2])
        }
        let error = try #require(throws: JSONDecodingError.self) { try json.decode(App.self) }
        #expect(error.description == expected)
    }

    @Test("whole numbers in other spellings are integers")
    func integerSpellings() throws {
        #expect(try JSON(parsing: "[2.0,1e3]").decode([Int].self) == [2, 1000])
    }

    @Test("numbers that JSON cannot write are refused")
    func notFinite() {
        #expect(throws: EncodingError.self) { try JSON(encoding: [Double.nan]) }
        #expect(throws: EncodingError.self) { try JSON(encoding: Float.infinity) }
    }

    class Base: Codable {
        var id = 1
        init() {}
    }

    final class Derived: Base {
        var nested = [[1, 2], [3]]
        private enum Keys: CodingKey { case nested }

        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            try super.init(from: try container.superDecoder())
            var outer = try container.nestedUnkeyedContainer(forKey: .nested)
            nested = []
            while !outer.isAtEnd {
                var inner = try outer.nestedUnkeyedContainer()
                var numbers: [Int] = []
                while !inner.isAtEnd { numbers.append(try inner.decode(Int.self)) }
                nested.append(numbers)
            }
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try super.encode(to: container.superEncoder())
            var outer = container.nestedUnkeyedContainer(forKey: .nested)
            for numbers in nested {
                var inner = outer.nestedUnkeyedContainer()
                for number in numbers { try inner.encode(number) }
            }
        }
    }

    @Test("superclasses and nested containers survive")
    func nestedContainers() throws {
        let value = Derived()
        value.id = 7
        let json = try JSON(encoding: value)
        #expect(json == ["super": ["id": 7], "nested": [[1, 2], [3]]])
        let back = try json.decode(Derived.self)
        #expect(back.id == 7)
        #expect(back.nested == [[1, 2], [3]])
    }
}
