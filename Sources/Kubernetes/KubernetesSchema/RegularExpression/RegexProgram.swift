/// A regular expression as instructions for a machine that follows all ways at once (Thompson's construction).
struct RegexProgram: Sendable {
    enum Instruction: Sendable {
        case consume(RegexSet)
        /// Goes both ways, the first with priority.
        case split(Int, Int)
        case jump(Int)
        case assert(RegexAssertion)
        case match
    }

    /// Counted repetitions are written out, so a short pattern can make a long program.
    static let maximumLength = 20_000

    private(set) var instructions: [Instruction] = []

    init(_ node: RegexNode) throws(RegularExpression.SyntaxError) {
        try emit(node)
        try append(.match)
    }

    private mutating func append(_ instruction: Instruction) throws(RegularExpression.SyntaxError) {
        guard instructions.count < Self.maximumLength else {
            throw RegularExpression.SyntaxError(message: "expression too large")
        }
        instructions.append(instruction)
    }

    private mutating func emit(_ node: RegexNode) throws(RegularExpression.SyntaxError) {
        switch node {
        case .empty: break
        case .set(let set): try append(.consume(set))
        case .assertion(let assertion): try append(.assert(assertion))
        case .sequence(let nodes): for node in nodes { try emit(node) }
        case .choice(let alternatives): try emitChoice(alternatives)
        case .repetition(let node, let minimum, let maximum, let isGreedy):
            for _ in 0..<minimum { try emit(node) }
            if let maximum {
                try emitOptional(node, times: maximum - minimum, isGreedy: isGreedy)
            } else {
                try emitLoop(node, isGreedy: isGreedy)
            }
        }
    }

    private mutating func emitChoice(_ alternatives: [RegexNode]) throws(RegularExpression.SyntaxError) {
        var jumps: [Int] = []
        for (index, alternative) in alternatives.enumerated() {
            if index == alternatives.count - 1 {
                try emit(alternative)
            } else {
                let split = instructions.count
                try append(.split(split + 1, 0))
                try emit(alternative)
                jumps.append(instructions.count)
                try append(.jump(0))
                instructions[split] = .split(split + 1, instructions.count)
            }
        }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    private mutating func emitLoop(_ node: RegexNode, isGreedy: Bool) throws(RegularExpression.SyntaxError) {
        let split = instructions.count
        try append(.split(0, 0))
        try emit(node)
        try append(.jump(split))
        let end = instructions.count
        instructions[split] = isGreedy ? .split(split + 1, end) : .split(end, split + 1)
    }

    private mutating func emitOptional(
        _ node: RegexNode, times: Int, isGreedy: Bool
    ) throws(RegularExpression.SyntaxError) {
        var splits: [Int] = []
        for _ in 0..<times {
            splits.append(instructions.count)
            try append(.split(0, 0))
            try emit(node)
        }
        let end = instructions.count
        for split in splits { instructions[split] = isGreedy ? .split(split + 1, end) : .split(end, split + 1) }
    }
}
