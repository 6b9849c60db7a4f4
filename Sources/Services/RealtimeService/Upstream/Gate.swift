internal import DequeModule

/// Lets so many in at once; the others wait in line.
actor Gate {
    private var free: Int
    private var waiting: Deque<CheckedContinuation<Void, Never>> = []

    init(limit: Int) { free = limit }

    /// Each `enter` needs its `leave`.
    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if let next = waiting.popFirst() { next.resume() } else { free += 1 }
    }
}
