import APIServerKinds
import StructuredData
import Testing

@Suite struct SelectorTests {
    @Test(arguments: [
        ("team=red", true), ("team==red", true), ("team!=red", false), ("team in (red,blue)", true),
        ("team notin (red)", false), ("team", true), ("!team", false), ("!absent", true), ("absent!=x", true),
        ("absent notin (x)", true), ("absent", false), ("size>3", true), ("size<3", false), ("team=red,size=5", true),
        ("team=red,size=6", false), ("", true), (" team = red , size in ( 4 , 5 ) ", true), ("empty=", true),
    ])
    func `a label selector matches as documented`(text: String, matches: Bool) throws {
        let labels: JSON = ["team": "red", "size": "5", "empty": ""]
        #expect(try LabelSelector(parsing: text).matches(labels) == matches)
    }

    @Test(arguments: [
        ("team in red", "unable to parse requirement: found 'red', expected: '('"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
    ])
    func `a malformed label selector is refused in the words of the real server`(text: String, message: String) {
        #expect(throws: SelectorError.self) { try LabelSelector(parsing: text) }
        do { _ = try LabelSelector(parsing: text) } catch { #expect(error.message == message) }
    }

    @Test func `a selector of an object reads expressions and prints its text form`() throws {
        let selector = try #require(
            LabelSelector(labelSelector: [
                "matchLabels": ["b": "1", "a": "2"],
                "matchExpressions": [["key": "c", "operator": "In", "values": ["y", "x"]]],
            ]))
        #expect(selector.text == "a=2,b=1,c in (x,y)")
        #expect(selector.matches(["a": "2", "b": "1", "c": "x"]))
        #expect(!selector.matches(["a": "2", "b": "1"]))
    }

    @Test func `a field selector splits terms, keeps escapes and matches`() throws {
        let selector = try FieldSelector(parsing: "metadata.name=a,status.phase!=Running,spec.x=p\\,q")
        #expect(selector.requiredName == "a")
        #expect(selector.terms.map(\.value) == ["a", "Running", "p,q"])
        let values = ["metadata.name": "a", "status.phase": "Pending", "spec.x": "p,q"]
        #expect(selector.matches { values[$0] ?? "" })
        #expect(!selector.matches { $0 == "metadata.name" ? "b" : values[$0] ?? "" })
    }

    @Test func `a field that a kind cannot be selected by is refused`() throws {
        let pods = try Fixture.resource("", "pods")
        let configMaps = try Fixture.resource("", "configmaps")
        let gizmos = try Fixture.gizmoResource()
        func message(_ resource: ServedResource, _ text: String) -> String? {
            do {
                try resource.check(FieldSelector(parsing: text))
                return nil
            } catch { return error.message }
        }
        #expect(message(pods, "spec.nodeName=n,status.phase=Running") == nil)
        #expect(message(pods, "spec.nope=n") == "field label not supported: spec.nope")
        #expect(message(gizmos, "metadata.name=n") == nil)
        #expect(message(gizmos, "spec.size=small") == "field label not supported: spec.size")
        #expect(
            message(configMaps, "data=1")
                == "\"data\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
    }

    @Test func `events are selected by the object they are about, in both views`() throws {
        let event: JSON = [
            "metadata": ["name": "e"], "involvedObject": ["kind": "Pod", "name": "p"],
            "source": ["component": "kubelet"],
        ]
        let core = try Fixture.resource("", "events")
        let new = try Fixture.resource("events.k8s.io", "events")
        #expect(core.fieldValue("involvedObject.name", of: event) == "p")
        #expect(core.fieldValue("source", of: event) == "kubelet")
        #expect(new.fieldValue("regarding.name", of: new.fromStorage(event)) == "p")
        #expect(core.storageKey == new.storageKey)
        #expect(new.toStorage(new.fromStorage(event)).at("involvedObject", "kind") == "Pod")
    }
}
