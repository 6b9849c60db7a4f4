import StructuredData
import Testing

@testable import APIServer

struct SortedObjectsTests {
    @Test("holds what a dictionary would, in the order of keys, after any inserts and removals")
    func agreesWithDictionary() {
        var generator = SystemRandomNumberGenerator()
        var objects = SortedObjects()
        var model: [String: UInt64] = [:]
        for step in 1...6_000 {
            let key = "ns/\(Int.random(in: 0..<1_500, using: &generator))"
            if Int.random(in: 0..<3, using: &generator) == 0 {
                #expect(objects.remove(key)?.revision == model.removeValue(forKey: key))
            } else {
                let old = objects.insert(thing(key).stored(at: UInt64(step)))
                #expect(old?.revision == model.updateValue(UInt64(step), forKey: key))
            }
        }
        #expect(objects.count == model.count)
        #expect(objects.keys == model.keys.sorted())
        #expect(objects.byteCount == objects.reduce(0) { $0 + $1.bytes.count })
        for (key, revision) in model { #expect(objects[key]?.revision == revision) }
    }

    @Test("a copy keeps its state while the original changes")
    func copiesAreIndependent() {
        var objects = SortedObjects()
        for index in 0..<1_000 { objects.insert(thing("k\(1_000 + index)").stored(at: 1)) }
        let copy = objects
        for index in 0..<1_000 { objects.remove("k\(1_000 + index)") }
        objects.insert(thing("other").stored(at: 2))
        #expect(copy.count == 1_000)
        #expect(copy.keys.first == "k1000")
        #expect(objects.keys == ["other"])
    }

    @Test("an iterator starts at the first key that is not less than asked for")
    func iteratesFrom() {
        var objects = SortedObjects()
        for key in ["a/1", "a/2", "b/1", "c/1"] { objects.insert(thing(key).stored(at: 1)) }
        var iterator = objects.iterator(from: "a/3")
        #expect(iterator.next()?.key == "b/1")
        var end = objects.iterator(from: "d")
        #expect(end.next() == nil)
    }

    @Test("the state of a removed object can be shown at a later revision")
    func rewritesRevision() {
        let stored = thing("a", value: 7).stored(at: 9)
        let later = try? JSON(parsing: stored.bytes(atRevision: 12_345))
        #expect(later?.at("metadata", "resourceVersion") == "12345")
        #expect(later?["value"] == 7)
    }
}
