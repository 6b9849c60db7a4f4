@testable import ControllerRuntime
import KubernetesClient
import StructuredData
import Testing

@Suite struct PredicateTests {
    func change(_ edit: (inout JSON) -> Void) -> StoreChange {
        let old = object("a", version: 1, generation: 3, ["spec": ["x": 1], "status": ["s": 1]])
        var new = object("a", version: 2, generation: 3, ["spec": ["x": 1], "status": ["s": 1]])
        edit(&new.json)
        return StoreChange(
            old: StoredObject(old, ownedDigest: 0), new: StoredObject(new, ownedDigest: 0))
    }

    @Test func statusAloneIsIgnoredAndEverythingElseIsNot() {
        let predicate = Predicate.ignoringStatus
        #expect(!predicate.admits(change { $0["status"] = ["s": 2] }))
        #expect(!predicate.admits(change { $0.set("x", at: "metadata", "managedFields") }))
        #expect(predicate.admits(change { $0.set(4, at: "metadata", "generation") }))
        #expect(predicate.admits(change { $0.set("v", at: "metadata", "labels", "l") }))
        #expect(predicate.admits(change { $0.set("v", at: "metadata", "annotations", "a") }))
        #expect(predicate.admits(change { $0.set(["f"], at: "metadata", "finalizers") }))
        #expect(predicate.admits(change { $0.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp") }))
        #expect(predicate.admits(change { $0.set("other", at: "metadata", "uid") }))
    }

    @Test func addsAndDeletesAlwaysPass() {
        let stored = StoredObject(object("a"), ownedDigest: 0)
        for predicate in [
            Predicate.ignoringStatus, .generationChanged, .ownedFieldsChanged, .labelsChanged, .annotationsChanged,
        ] {
            #expect(predicate.admits(StoreChange(old: nil, new: stored)))
            #expect(predicate.admits(StoreChange(old: stored, new: nil)))
        }
    }

    @Test func ofAChildOnlyWhatWeOwnCounts() {
        let predicate = Predicate.ownedFieldsChanged
        #expect(!predicate.admits(change { $0["status"] = ["s": 2] }))
        #expect(!predicate.admits(change { $0.set("v", at: "metadata", "annotations", "theirs") }))
        #expect(predicate.admits(change { $0.set("2026-01-01T00:00:00Z", at: "metadata", "deletionTimestamp") }))
        #expect(predicate.admits(change { $0.set("other", at: "metadata", "uid") }))
        let (old, new) = (object("a", version: 1), object("a", version: 2))
        #expect(
            predicate.admits(
                StoreChange(old: StoredObject(old, ownedDigest: 0), new: StoredObject(new, ownedDigest: 1))))
    }

    @Test func typesWithoutGenerationAreComparedByContent() {
        func change(_ data: JSON, status: JSON) -> StoreChange {
            let old = object(.configMap, "a", version: 1, generation: 0, ["data": ["k": "1"], "status": 1])
            let new = object(.configMap, "a", version: 2, generation: 0, ["data": data, "status": status])
            return StoreChange(old: StoredObject(old, ownedDigest: 0), new: StoredObject(new, ownedDigest: 0))
        }
        for predicate in [Predicate.ignoringStatus, .generationChanged] {
            #expect(predicate.admits(change(["k": "2"], status: 1)))
            #expect(!predicate.admits(change(["k": "1"], status: 2)))
        }
    }

    @Test func predicatesCombine() {
        let labels = change { $0.set("v", at: "metadata", "labels", "l") }
        #expect((Predicate.generationChanged || .labelsChanged).admits(labels))
        #expect(!(Predicate.generationChanged && .labelsChanged).admits(labels))
    }
}
