import KubernetesSchema
import StructuredData
import Testing

/// A generator of objects; the seed makes every failure repeatable.
struct Generator {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func below(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    mutating func gizmo(isValid: Bool = true) -> JSON {
        var spec = JSONObject()
        spec["size"] = pick(["small", "large"])
        if below(2) == 0 { spec["replicas"] = JSON(below(5)) }
        if below(3) == 0 { spec["note"] = pick(["a", "b", nil]) }
        if below(3) == 0 { spec["port"] = pick([80, "http"]) }
        if below(2) == 0 { spec["tags"] = .array(["x", "y", "z"].filter { _ in below(2) == 0 }) }
        if below(2) == 0 {
            spec["parts"] = .array(
                ["a", "b", "c", "d"].filter { _ in below(2) == 0 }.map { name in
                    below(2) == 0 ? ["name": .string(name)] : ["name": .string(name), "weight": JSON(below(3))]
                })
        }
        if below(2) == 0 { spec["free"] = anything(depth: 3) }
        if !isValid { spec[pick(["size", "wat", "parts", "tags", "status"])] = anything(depth: 2) }
        return Gizmo.object(.object(spec))
    }

    mutating func anything(depth: Int) -> JSON {
        var object = JSONObject()
        for key in ["p", "q", "r"] where below(2) == 0 {
            switch depth == 0 ? below(3) : below(6) {
            case 0: object[key] = JSON(below(3))
            case 1: object[key] = pick(["s", "t", ""])
            case 2: object[key] = pick([true, nil])
            case 3: object[key] = .array([JSON(below(2)), .object(JSONObject())])
            default: object[key] = anything(depth: depth - 1)
            }
        }
        return .object(object)
    }
}

@Suite struct PropertyTests {
    let schema: Schema

    init() throws { schema = try Gizmo.schema() }

    func apply(_ config: JSON, to live: JSON?, by manager: String, time: String = "2026-01-01T00:00:00Z") throws -> JSON
    {
        try ServerSideApplyTests.apply(config, to: live, by: manager, force: true, schema: schema, time: time)
    }

    @Test(arguments: 0..<200)
    func applyingTwiceIsApplyingOnce(seed: Int) throws {
        var generator = Generator(seed: seed)
        var live = try apply(generator.gizmo(), to: nil, by: "first")
        for manager in ["second", "first", "third"] {
            let config = generator.gizmo()
            live = try apply(config, to: live, by: manager)
            #expect(try apply(config, to: live, by: manager, time: "2030-01-01T00:00:00Z") == live)
            let defaulted = schema.defaulted(live)
            #expect(try apply(config, to: defaulted, by: manager, time: "2030-01-01T00:00:00Z") == defaulted)
        }
    }

    @Test(arguments: 0..<200)
    func theOnlyApplierGetsWhatItStates(seed: Int) throws {
        var generator = Generator(seed: seed)
        var live: JSON?
        for _ in 0..<4 {
            let config = generator.gizmo()
            live = try apply(config, to: live, by: "only")
            let spec = live?["spec"] ?? .null
            let wanted = config["spec"] ?? .null
            #expect(withoutEmpty(spec) == withoutEmpty(wanted))
        }
    }

    /// An emptied list or map may stay or go: nobody owns what is in it.
    private func withoutEmpty(_ value: JSON) -> JSON? {
        switch value {
        case .object(let object):
            let members = object.compactMap { key, value in withoutEmpty(value).map { (key: key, value: $0) } }
            if members.isEmpty { return Optional.none }
            return .object(JSONObject(members))
        case .array(let elements):
            if elements.isEmpty { return Optional.none }
            return value
        default: return value
        }
    }

    @Test(arguments: 0..<200)
    func aFieldThatChangesHasOneOwnerAfterwards(seed: Int) throws {
        var generator = Generator(seed: seed)
        var live = try apply(generator.gizmo(), to: nil, by: "applier")
        for number in 0..<3 {
            var edited = generator.gizmo()
            edited.set(live["metadata"], at: "metadata")
            live = ManagedFields.recordUpdate(
                old: live, new: edited, manager: "editor\(number)", subresource: nil,
                apiVersion: ServerSideApplyTests.version, schema: schema, time: "2026-01-0\(number + 2)T00:00:00Z")
            let again = ManagedFields.recordUpdate(
                old: live, new: live, manager: "other", subresource: nil, apiVersion: ServerSideApplyTests.version,
                schema: schema, time: "2030-01-01T00:00:00Z")
            #expect(again == live)
        }
    }

    @Test(arguments: 0..<200)
    func pruningAndDefaultingSettle(seed: Int) {
        var generator = Generator(seed: seed)
        let object = generator.gizmo(isValid: seed.isMultiple(of: 2))
        let pruned = schema.pruned(object)
        #expect(schema.pruned(pruned) == pruned)
        #expect(schema.unknownFields(in: pruned).isEmpty)
        #expect(schema.unknownFields(in: object).isEmpty == (pruned == object))
        let defaulted = schema.defaulted(pruned)
        #expect(schema.defaulted(defaulted) == defaulted)
        #expect(schema.pruned(defaulted) == defaulted)
        if seed.isMultiple(of: 2) { #expect(schema.validate(defaulted, old: nil).isEmpty) }
        #expect(schema.validate(defaulted, old: defaulted).isEmpty)
    }

    @Test(arguments: 0..<100)
    func anyValueIsAnsweredNotCrashedOn(seed: Int) throws {
        var generator = Generator(seed: seed)
        let garbage: [JSON] = [
            generator.anything(depth: 4), .array([generator.anything(depth: 2)]), nil, 1, "x", ["spec": 1],
            ["spec": ["parts": [1, nil, [:], ["name": ["x": 1]]], "tags": [[:], [[]], nil, 1, 1]], "metadata": 5],
            ["metadata": ["managedFields": ["x", ["fieldsV1": 1]], "labels": 1], "spec": ["size": ["a"]]],
        ]
        let builtin = try StrategicMergePatchTests.deployment()
        for value in garbage {
            for schema in [schema, builtin] {
                _ = schema.unknownFields(in: schema.pruned(schema.defaulted(value)))
                _ = schema.validate(value, old: garbage[seed % garbage.count])
                _ = schema.firstTypeMismatch(in: value)
                _ = try? StrategicMergePatch.apply(value, to: garbage[seed % garbage.count], schema: schema)
                _ = try? apply(value, to: garbage[seed % garbage.count], by: "m")
                _ = ManagedFields.recordUpdate(
                    old: garbage[seed % garbage.count], new: value, manager: "m", subresource: nil, apiVersion: "v1",
                    schema: schema, time: "2026-01-01T00:00:00Z")
            }
        }
    }

    @Test func objectsAsDeepAsCanBeReadStayReadable() throws {
        var deep: JSON = 1
        for _ in 0..<JSONLimits.deepest - 10 { deep = ["a": deep] }
        let object = try apply(Gizmo.object(["size": "small", "free": deep]), to: nil, by: "m")
        #expect(try JSON(parsing: object.encoded()) == object)
        #expect(try apply(Gizmo.object(["size": "small", "free": deep]), to: object, by: "m") == object)
        #expect(schema.pruned(object) == object)
        #expect(schema.validate(schema.defaulted(object), old: nil).isEmpty)
    }
}
