/// Runs a program over a text, following all ways at once; each way is at an instruction and knows where it began.
struct RegexMatcher {
    private struct Thread {
        let instruction: Int
        let start: Int
    }

    private let program: [RegexProgram.Instruction]
    /// The step at which an instruction was last added, so that it is followed once per step.
    private var visited: [Int]
    private var step = 0

    init(_ program: RegexProgram) {
        self.program = program.instructions
        visited = Array(repeating: 0, count: program.instructions.count)
    }

    /// The leftmost match at or after `position`. Without `wantsBounds` the end of the range means nothing: the first
    /// match that is seen is given.
    mutating func firstMatch(in text: [Unicode.Scalar], from position: Int, wantsBounds: Bool) -> Range<Int>? {
        var current: [Thread] = []
        var next: [Thread] = []
        var best: Range<Int>?
        step += 1
        for index in position...text.count {
            // A match that began earlier has priority, so no new ways begin once there is one.
            if best == nil { add(Thread(instruction: 0, start: index), at: index, of: text, to: &current) }
            if current.isEmpty, best != nil { break }
            step += 1
            next.removeAll(keepingCapacity: true)
            scan: for thread in current {
                switch program[thread.instruction] {
                case .consume(let set):
                    if index < text.count, set.contains(text[index]) {
                        let following = Thread(instruction: thread.instruction + 1, start: thread.start)
                        add(following, at: index + 1, of: text, to: &next)
                    }
                case .match:
                    best = thread.start..<index
                    if !wantsBounds { return best }
                    break scan  // ways of lower priority cannot win any more
                default: break
                }
            }
            swap(&current, &next)
        }
        return best
    }

    /// Adds a way and all that it leads to without consuming a character, by priority.
    private mutating func add(
        _ thread: Thread, at index: Int, of text: [Unicode.Scalar], to threads: inout [Thread]
    ) {
        var pending = [thread.instruction]
        while let instruction = pending.popLast() {
            guard visited[instruction] != step else { continue }
            visited[instruction] = step
            switch program[instruction] {
            case .jump(let target): pending.append(target)
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .assert(let assertion):
                if holds(assertion, at: index, of: text) { pending.append(instruction + 1) }
            case .consume, .match:
                threads.append(Thread(instruction: instruction, start: thread.start))
            }
        }
    }

    private func holds(_ assertion: RegexAssertion, at index: Int, of text: [Unicode.Scalar]) -> Bool {
        switch assertion {
        case .textStart: index == 0
        case .textEnd: index == text.count
        case .lineStart: index == 0 || text[index - 1] == "\n"
        case .lineEnd: index == text.count || text[index] == "\n"
        case .wordBoundary: isWord(text, index - 1) != isWord(text, index)
        case .noWordBoundary: isWord(text, index - 1) == isWord(text, index)
        }
    }

    private func isWord(_ text: [Unicode.Scalar], _ index: Int) -> Bool {
        guard text.indices.contains(index) else { return false }
        return switch text[index] {
        case "0"..."9", "A"..."Z", "a"..."z", "_": true
        default: false
        }
    }
}
