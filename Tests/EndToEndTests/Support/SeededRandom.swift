import Foundation

/// Random choices that can be made again: SplitMix64 (Steele, Lea, Flood 2014).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    /// The seed is that of `TODO_TEST_SEED`, else a new one; it is printed with `purpose`.
    init(for purpose: String) {
        let given = ProcessInfo.processInfo.environment["TODO_TEST_SEED"].flatMap { UInt64($0) }
        state = given ?? .random(in: 0...999_999_999)
        print("\(purpose): seed \(state); TODO_TEST_SEED=\(state) makes the same choices")
    }

    private init(state: UInt64) { self.state = state }

    /// Another one for a task of its own, with choices that follow from this one's.
    mutating func split() -> SeededRandom { SeededRandom(state: next()) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
