/// Elements of all containers that are still open, innermost on top. A container's array is made once, when it closes,
/// with exactly the room it needs.
struct ParserStack<Element>: ~Copyable {
    /// A kilobyte to begin with: what is larger is slow to get from the allocator, and most texts are small.
    private static var firstCapacity: Int { max(1, 1024 / MemoryLayout<Element>.stride) }

    private var memory: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init() {
        capacity = Self.firstCapacity
        memory = .allocate(capacity: capacity)
    }

    deinit {
        memory.deinitialize(count: count)
        memory.deallocate()
    }

    subscript(place: Int) -> Element {
        get { memory[place] }
        _modify { yield &memory[place] }
    }

    mutating func push(_ element: Element) {
        if count == capacity {
            let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
            larger.moveInitialize(from: memory, count: count)
            memory.deallocate()
            memory = larger
            capacity *= 2
        }
        (memory + count).initialize(to: element)
        count += 1
    }

    /// Takes the top element. There must be one.
    mutating func pop() -> Element {
        count -= 1
        return (memory + count).move()
    }

    mutating func popArray(from base: Int) -> [Element] {
        let taken = count - base
        guard taken > 0 else { return [] }
        let top = memory + base
        count = base
        return Array(unsafeUninitializedCapacity: taken) { room, filled in
            if let start = room.baseAddress { start.moveInitialize(from: top, count: taken) }
            filled = taken
        }
    }
}

/// A filter in front of the search for a key that came before: most keys of an object are known to be new at the cost
/// of one bit test.
struct KeyFilter {
    private var bits: UInt64 = 0

    /// Whether `key` may have been asked for before; false is certain.
    mutating func mayContain(_ key: String) -> Bool {
        let text = key.utf8
        let first = text.first ?? 0
        let last = text.last ?? 0
        let bit: UInt64 = 1 << (UInt64(first &* 7 ^ last &* 13 ^ UInt8(truncatingIfNeeded: text.count)) & 63)
        defer { bits |= bit }
        return bits & bit != 0
    }
}

/// The longer keys of a text, each made into a string once: lists repeat them thousands of times.
struct KeyCache: ~Copyable {
    private static let longestInline = 15
    private var slots: [String]

    /// - Parameter byteCount: of the whole text.
    init(byteCount: Int) { slots = Array(repeating: "", count: byteCount < 16 << 10 ? 32 : 256) }

    mutating func string(_ text: UnsafeBufferPointer<UInt8>) -> String {
        guard text.count > Self.longestInline else { return String(decoding: text, as: UTF8.self) }
        let mix = Int(text[0]) &* 31 ^ Int(text[text.count / 2]) &* 17 ^ Int(text[text.count - 1]) &* 7 ^ text.count
        let slot = mix & (slots.count - 1)
        if slots[slot].hasBytes(text) { return slots[slot] }
        let string = String(decoding: text, as: UTF8.self)
        slots[slot] = string
        return string
    }
}

/// Where the parser is, and which keys it met twice.
struct DuplicateKeys {
    enum Step {
        case member(String)
        case element(Int)
    }

    /// Kubernetes reports no more than this many either.
    private static let most = 100
    private var path: [Step] = []
    private(set) var found: [String] = []

    mutating func enter(_ step: Step) { path.append(step) }
    mutating func leave() { path.removeLast() }

    mutating func report() {
        guard found.count < Self.most else { return }
        var text = ""
        for step in path {
            switch step {
            case .member(let key): text += text.isEmpty ? key : ".\(key)"
            case .element(let index): text += "[\(index)]"
            }
        }
        if !found.contains(text) { found.append(text) }
    }
}
