/// The members of a JSON object in the order in which they were written. Setting a key again keeps its place.
///
/// Keys are compared byte by byte, never by Unicode equivalence. Up to 32 members are a flat array; beyond that an
/// index is kept, so a lookup, a replacement and a removal take constant time in an object of any size.
///
/// Two objects are equal when they have the same members, in whatever order.
public struct JSONObject: Sendable {
    struct Member: Sendable {
        var key: String
        var value: JSON
    }

    static let largestFlatCount = 32

    /// With an index there may be holes: a slot is a member only when the index leads to it.
    private var slots: [Member]
    private var index: [ByteKey: Int]?

    public init() { slots = [] }

    /// Members with unique keys; `index`, where given, leads from every key to its slot.
    init(unique members: [Member], index: [ByteKey: Int]? = nil) {
        slots = members
        self.index = index
        buildIndexIfLarge()
    }

    /// The members in order; of two with the same key the later value is kept, at the earlier one's place.
    public init(_ members: some Sequence<(key: String, value: JSON)>) {
        self.init()
        slots.reserveCapacity(members.underestimatedCount)
        for (key, value) in members { self[key] = value }
    }

    public var count: Int { index?.count ?? slots.count }
    public var isEmpty: Bool { count == 0 }

    /// The keys in order. A new array each time: to walk over the members, iterate over the object itself.
    public var keys: [String] { members.map(\.key) }
    /// The values in order. A new array each time.
    public var values: [JSON] { members.map(\.value) }

    public subscript(key: String) -> JSON? {
        get { slot(of: key).map { slots[$0].value } }
        set { set(newValue, forKey: key, at: slot(of: key)) }
        _modify {
            let slot = slot(of: key)
            var value: JSON?
            if let slot {
                value = slots[slot].value
                slots[slot].value = .null  // gives up the second reference, so that `value` is mutated in place
            }
            defer { set(value, forKey: key, at: slot) }
            yield &value
        }
    }

    public func contains(_ key: String) -> Bool { slot(of: key) != nil }

    /// Replaces every value, in place and in order.
    public mutating func updateValues<Failure: Error>(
        _ update: (_ key: String, _ value: inout JSON) throws(Failure) -> Void
    ) throws(Failure) {
        if count < slots.count { close() }
        for slot in slots.indices { try update(slots[slot].key, &slots[slot].value) }
    }

    /// Keeps the members that satisfy `isKept`, in time linear to the size of the object.
    public mutating func keepMembers<Failure: Error>(
        where isKept: (_ key: String, _ value: JSON) throws(Failure) -> Bool
    ) throws(Failure) {
        var kept: [Member] = []
        for member in members where try isKept(member.key, member.value) { kept.append(member) }
        if kept.count < count { self = JSONObject(unique: kept) }
    }
}

extension JSONObject {
    /// A key under which strings with different bytes are different, however Unicode sees them.
    struct ByteKey: Hashable, Sendable {
        let text: String

        static func == (left: ByteKey, right: ByteKey) -> Bool { left.text.hasSameBytes(as: right.text) }
    }

    var members: [Member] {
        guard let index, index.count < slots.count else { return slots }
        return slots.indices.filter { index[ByteKey(text: slots[$0].key)] == $0 }.map { slots[$0] }
    }

    private func slot(of key: String) -> Int? {
        if let index { return index[ByteKey(text: key)] }
        return slots.firstIndex { $0.key.hasSameBytes(as: key) }
    }

    private mutating func set(_ value: JSON?, forKey key: String, at slot: Int?) {
        switch (slot, value) {
        case (let slot?, let value?): slots[slot].value = value
        case (let slot?, nil): remove(at: slot, key: key)
        case (nil, let value?):
            slots.append(Member(key: key, value: value))
            index?[ByteKey(text: key)] = slots.count - 1
            buildIndexIfLarge()
        case (nil, nil): break
        }
    }

    private mutating func remove(at slot: Int, key: String) {
        guard index != nil else {
            slots.remove(at: slot)
            return
        }
        index?[ByteKey(text: key)] = nil
        slots[slot].value = .null
        if count < slots.count / 2 { close() }
    }

    /// Closes the holes; an object that became small is flat again.
    private mutating func close() { self = JSONObject(unique: members) }

    private mutating func buildIndexIfLarge() {
        guard index == nil, slots.count > Self.largestFlatCount else { return }
        index = Self.index(of: slots)
    }

    static func index(of members: some Collection<Member>) -> [ByteKey: Int] {
        Dictionary(zip(members.lazy.map { ByteKey(text: $0.key) }, 0...)) { $1 }
    }
}

extension JSONObject: Sequence {
    public struct Iterator: IteratorProtocol, Sendable {
        private var members: IndexingIterator<[Member]>

        init(_ members: [Member]) { self.members = members.makeIterator() }

        public mutating func next() -> (key: String, value: JSON)? { members.next().map { ($0.key, $0.value) } }
    }

    public func makeIterator() -> Iterator { Iterator(members) }
    public var underestimatedCount: Int { count }
}

extension JSONObject: Hashable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        let (first, second) = (left.members, right.members)
        return first.indices.allSatisfy { place in
            if first[place].key.hasSameBytes(as: second[place].key) {
                return first[place].value == second[place].value
            }
            return right[first[place].key].map { $0 == first[place].value } ?? false
        }
    }

    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for member in members {
            var own = Hasher()
            own.combine(member.key)
            own.combine(member.value)
            sum ^= own.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral, CustomStringConvertible {
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self.init(elements.lazy.map { (key: $0.0, value: $0.1) })
    }

    public var description: String { JSON.object(self).text }
}

extension String {
    /// Equality of the UTF-8 bytes. `==` would take `é` for `e` with a combining accent.
    func hasSameBytes(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return other.utf8.withContiguousStorageIfAvailable(hasBytes) ?? utf8.elementsEqual(other.utf8)
    }

    func hasBytes(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard utf8.count == bytes.count else { return false }
        return utf8.withContiguousStorageIfAvailable { $0.isEqual(to: bytes) } ?? utf8.elementsEqual(bytes)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// For buffers of the same size; eight bytes at a time.
    fileprivate func isEqual(to other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let own = UnsafeRawPointer(baseAddress), let its = UnsafeRawPointer(other.baseAddress) else {
            return true
        }
        var place = 0
        while place + 8 <= count {
            let left = (own + place).loadUnaligned(as: UInt64.self)
            guard left == (its + place).loadUnaligned(as: UInt64.self) else { return false }
            place += 8
        }
        while place < count {
            guard self[place] == other[place] else { return false }
            place += 1
        }
        return true
    }
}
