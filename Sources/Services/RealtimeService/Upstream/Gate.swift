internal import DequeModule

/// Lets so many in at once; the others wait in line.
actor Gate {
    private var free: Int
    private var waiting: Deque<CheckedContinuation<Void, Never>> = []

    init(limit: Int) { free = limit }

    /// Each `enter` needs its `leave`.
    func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { turn in
            // Somebody may have left on the way here.
            if free > 0 {
                free -= 1
                turn.resume()
            } else {
                waiting.append(turn)
            }
        }
    }

    func leave() {
        if let next = waiting.popFirst() { next.resume() } else { free += 1 }
    }
}
