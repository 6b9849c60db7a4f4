@testable import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@Suite struct StoreTests {
    let store = Store(
        .app, fieldManager: "me",
        indices: [.label("team"), StoreIndex("secret") { [$0.spec?["secret"]?.string].compactMap { $0 } }])

    @Test func aChangeTellsBothStates() throws {
        let added = try store.upsert(object("a", version: 1), .watch)
        #expect(added?.kind == .added)
        let updated = try store.upsert(object("a", version: 2), .watch)
        #expect(updated?.old?.resourceVersion == "1" && updated?.new?.resourceVersion == "2")
        let deleted = store.delete(key("a"), uid: "uid-a")
        #expect(deleted?.kind == .deleted && deleted?.latest?.resourceVersion == "2")
        #expect(store.delete(key("a"), uid: "uid-a") == nil)
    }

    @Test func lateNewsFromAWatchDoesNotBringBackAnOlderState() throws {
        _ = try store.upsert(object("a", version: 100), .watch)
        #expect(try store.upsert(object("a", version: 99), .watch) == nil)
        #expect(store.stored(key("a"))?.resourceVersion == "100")
        // A list is the truth, also of a server that was set back.
        #expect(try store.upsert(object("a", version: 99), .laterList) != nil)
        // An earlier object of the same name is older too.
        #expect(try store.upsert(object("a", version: 5, uid: "earlier"), .watch) == nil)
        #expect(try store.upsert(object("a", version: 105, uid: "later"), .watch) != nil)
    }

    @Test func whatWasReadLiveIsNeitherUndoneByAWatchThatLagsNorBringsBackWhatIsGone() throws {
        store.setResourceVersion("100")
        #expect(try store.upsert(object("a", version: 100), .read) == nil)
        #expect(try store.upsert(object("a", version: 120), .read) != nil)
        store.setResourceVersion("110")
        #expect(store.delete(key("a"), uid: "earlier") == nil)
        store.setResourceVersion("130")
        #expect(store.delete(key("a"), uid: "earlier") != nil)
        #expect(try store.upsert(object("a", version: 120), .read) == nil)
        // The end of a list deletes whatever it did not name: the server may have been set back.
        _ = try store.upsert(object("a", version: 140), .read)
        #expect(store.retain([]).count == 1)
    }

    /// Its label went at 110, and what was read live is a later state that has none either.
    @Test func whatLeftTheSelectionGoesWhateverWasReadLive() throws {
        store.setResourceVersion("100")
        _ = try store.upsert(object("a", version: 90), .watch)
        _ = try store.upsert(object("a", version: 120), .read)
        store.setResourceVersion("110")
        #expect(store.delete(key("a"), uid: "uid-a") != nil)
    }

    @Test(arguments: [
        "0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5B-D9CB-469F-A165-70867728950E", "u1", "",
    ]) func aUidIsGivenBackAsItCame(uid: String) throws {
        _ = try store.upsert(object("a", version: 1, uid: uid), .watch)
        #expect(store.stored(key("a"))?.uid == uid)
    }

    @Test func objectsShareTheOwnerThatTheyHaveInCommon() throws {
        for (name, owner) in [("a", "o"), ("b", "o"), ("c", "p")] {
            let reference: JSON = ["uid": .string(owner), "kind": "App", "name": .string(owner), "controller": true]
            _ = try store.upsert(object(name, version: 1, ["metadata": ["ownerReferences": [reference]]]), .watch)
        }
        let owners = try ["a", "b", "c"].map { try #require(store.stored(key($0))?.controller) }
        #expect(owners[0] === owners[1] && owners[0] != owners[2])
    }

    @Test func theSameVersionIsNoChange() throws {
        _ = try store.upsert(object("a", version: 1), .firstList)
        #expect(try store.upsert(object("a", version: 1), .laterList) == nil)
    }

    @Test func objectsAreFoundByLabelOwnerAndOwnIndexAndNoLongerWhenThatChanged() throws {
        let owned: JSON = ["metadata": ["ownerReferences": [["uid": "u1"]]], "spec": ["secret": "s"]]
        _ = try store.upsert(object("a", version: 1, labels: ["team": "red"], owned), .watch)
        _ = try store.upsert(object("b", version: 2, labels: ["team": "red"]), .watch)
        #expect(store.keys(index: "label:team", value: "red") == [key("a"), key("b")])
        #expect(store.list(ownedBy: "u1").map(\.key) == [key("a")])
        #expect(store.keys(index: "secret", value: "s") == [key("a")])
        _ = try store.upsert(object("a", version: 3, labels: ["team": "blue"]), .watch)
        #expect(store.keys(index: "label:team", value: "red") == [key("b")])
        #expect(store.list(ownedBy: "u1").isEmpty)
        #expect(store.keys(index: "secret", value: "s").isEmpty)
        _ = store.delete(key("a"), uid: "uid-a")
        #expect(store.keys(index: "label:team", value: "blue").isEmpty)
    }

    @Test func aNamespaceIsListedByName() throws {
        for name in ["b", "a"] { _ = try store.upsert(object(name, namespace: "one"), .firstList) }
        _ = try store.upsert(object("c", namespace: "two"), .firstList)
        #expect(store.list(namespace: "one").map(\.key.name) == ["a", "b"])
        #expect(store.list(namespace: "three").isEmpty)
    }

    @Test func retainingTheListedKeysDeletesTheRest() throws {
        for name in ["a", "b", "c"] { _ = try store.upsert(object(name), .firstList) }
        #expect(store.retain([key("b")]).map(\.old?.key) == [key("a"), key("c")])
        #expect(store.keys == [key("b")])
    }

    @Test func managedFieldsAreNotKeptAndATransformLeavesOutMore() throws {
        let lean = Store(.secret, fieldManager: "me") { $0.json["data"] = nil }
        let secret = object(
            .secret, "s", ["data": ["k": "djEK"], "metadata": ["managedFields": [["manager": "me"]]]])
        _ = try lean.upsert(secret, .watch)
        let kept = lean.get(key("s"))
        #expect(kept?.json["data"] == nil)
        #expect(kept?.metadata["managedFields"] == nil)
        #expect(kept?.name == "s")
    }

    @Test func whatATransformLeavesOutIsStillFoundAndKnown() throws {
        let lean = Store(.app, fieldManager: "me", indices: [.label("team")]) { $0 = KubernetesObject([:]) }
        let owner: JSON = ["uid": "u1", "kind": "App", "name": "o", "controller": true]
        _ = try lean.upsert(
            object("a", version: 7, labels: ["team": "red"], ["metadata": ["ownerReferences": [owner]]]), .watch)
        let kept = lean.stored(key("a"))
        #expect(kept?.object.json == [:])
        #expect(kept?.resourceVersion == "7" && kept?.uid == "uid-a" && kept?.controller?.name == "o")
        #expect(lean.list(ownedBy: "u1").map(\.key) == [key("a")])
        #expect(lean.keys(index: "label:team", value: "red") == [key("a")])
        _ = lean.delete(key("a"), uid: "uid-a")
        #expect(lean.list(ownedBy: "u1").isEmpty && lean.keys(index: "label:team", value: "red").isEmpty)
    }

    @Test func versionsCompareAsNumbersAndOthersOnlyWhenEqual() {
        #expect(ResourceVersion.isAtLeast("100", "99") == true)
        #expect(ResourceVersion.isAtLeast("99", "100") == false)
        #expect(ResourceVersion.isAtLeast("abc", "abc") == true)
        #expect(ResourceVersion.isAtLeast("abc", "9") == nil)
        #expect(ResourceVersion.isAtLeast("", "9") == nil)
        let large = "123456789012345678901234567890"
        #expect(ResourceVersion.isAtLeast(large, "9") == true)
    }
}

@Suite struct OwnedFieldsTests {
    /// As a server answers an apply of `spec.replicas`, one container and a label by `me`, with defaults around them.
    func deployment() -> KubernetesObject {
        let fields: JSON = [
            "f:metadata": ["f:labels": ["f:app": [:]]],
            "f:spec": [
                "f:replicas": [:],
                "f:containers": ["k:{\"name\":\"main\"}": [".": [:], "f:image": [:], "f:name": [:]]],
                "f:args": [:], "f:tags": ["v:\"x\"": [:]],
            ],
        ]
        return object(
            "a",
            [
                "metadata": [
                    "labels": ["app": "a", "other": "1"],
                    "managedFields": [
                        ["manager": "other", "operation": "Update", "fieldsV1": ["f:spec": ["f:paused": [:]]]],
                        ["manager": "me", "operation": "Apply", "fieldsV1": fields],
                    ],
                ],
                "spec": [
                    "replicas": 2, "args": ["-v"], "tags": ["w", "x"], "paused": false,
                    "containers": [["name": "sidecar", "image": "s"], ["name": "main", "image": "m", "tty": false]],
                ],
                "status": ["ready": 1],
            ])
    }

    func digest(_ change: (inout JSON) -> Void) -> UInt64 {
        var object = deployment()
        change(&object.json)
        return OwnedFields.digest(of: object, manager: "me")
    }
    var base: UInt64 { digest { _ in } }

    @Test func whatOthersOwnDefaultAndReportDoesNotCount() {
        #expect(base == digest { $0.set(["ready": 2], at: "status") })
        #expect(base == digest { $0.set(true, at: "spec", "paused") })
        #expect(base == digest { $0.set(["revisionHistoryLimit": 10], at: "spec", "more") })
        #expect(base == digest { $0.set("2", at: "metadata", "labels", "other") })
        #expect(base == digest { $0.set("99", at: "metadata", "resourceVersion") })
        #expect(base == digest { $0.set(["x", "y"], at: "spec", "tags") })
        #expect(
            base
                == digest { json in
                    let containers: JSON = [
                        ["name": "main", "image": "m", "tty": true, "stdin": true], ["name": "third", "image": "t"],
                    ]
                    json.set(containers, at: "spec", "containers")
                })
    }

    @Test func everyChangeToAFieldOfOursCounts() {
        let changed = [
            digest { $0.set(3, at: "spec", "replicas") },
            digest { $0.set(nil, at: "spec", "replicas") },
            digest { $0.set("b", at: "metadata", "labels", "app") },
            digest { $0.set(["-v", "-v"], at: "spec", "args") },
            digest { $0.set(["w"], at: "spec", "tags") },
            digest { $0.set([["name": "main", "image": "evil"]], at: "spec", "containers") },
            digest { $0.set([["name": "sidecar", "image": "s"]], at: "spec", "containers") },
        ]
        #expect(!changed.contains(base))
        #expect(Set(changed).count == changed.count)
    }

    @Test func aFieldThatSomebodyElseTookOverCounts() {
        let taken = digest { json in
            let rest: JSON = ["manager": "me", "operation": "Apply", "fieldsV1": ["f:spec": ["f:replicas": [:]]]]
            json.set([rest], at: "metadata", "managedFields")
        }
        #expect(taken != base)
    }

    @Test func theOrderOfMembersDoesNotCount() {
        let one: JSON = ["a": 1, "b": ["c": 2, "d": 3]]
        let two: JSON = ["b": ["d": 3, "c": 2], "a": 1]
        #expect(OwnedFields.digest(of: one) == OwnedFields.digest(of: two))
        #expect(OwnedFields.digest(of: ["a", "b"]) != OwnedFields.digest(of: ["ab"]))
        #expect(OwnedFields.digest(of: [["a"], "b"]) != OwnedFields.digest(of: [["a", "b"]]))
        #expect(OwnedFields.digest(of: "1") != OwnedFields.digest(of: 1))
        #expect(OwnedFields.digest(of: ["a": 1, "b": 2]) != OwnedFields.digest(of: ["a": 2, "b": 1]))
        #expect(OwnedFields.digest(of: ["a": ["b": 1]]) != OwnedFields.digest(of: ["a": [:], "b": 1]))
    }

    /// Up to past two words of eight bytes.
    @Test func everyByteAndTheLengthOfATextCount() {
        let digests = (0..<20).flatMap { length in
            let text = String(repeating: "\0", count: length)
            return [text] + (0..<length).map { text.prefix($0) + "x" + text.dropFirst($0 + 1) }
        }.map { OwnedFields.digest(of: .string($0)) }
        #expect(Set(digests).count == digests.count)
    }
}
