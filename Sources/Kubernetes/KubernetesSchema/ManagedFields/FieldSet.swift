internal import StructuredData

/// A set of paths into an object, as `fieldsV1` writes it: a tree of path elements, some of which are members.
///
/// Elements are the texts of the format: `f:name` (a field), `k:{"name":"a"}` (the list element with these keys),
/// `v:"x"` (the set element with this value), `i:0` (the element at this place).
struct FieldSet: Sendable, Hashable {
    struct Entry: Sendable, Hashable {
        let element: String
        var isMember: Bool
        var children = FieldSet()

        var isMeaningless: Bool { !isMember && children.isEmpty }
    }

    /// Sorted by element; none without meaning: each is a member or has children.
    private(set) var entries: [Entry] = []

    init() {}

    /// Entries in any order, none twice.
    init(unsorted entries: [Entry]) {
        var entries = entries
        if entries.contains(where: \.isMeaningless) { entries.removeAll(where: \.isMeaningless) }
        entries.sort { $0.element < $1.element }
        self.entries = entries
    }

    /// Entries that are sorted and mean something.
    private init(sorted entries: [Entry]) {
        self.entries = entries
    }

    /// The set of the given paths of field names.
    init(paths: [[String]]) {
        for path in paths { insert(path[...]) }
    }

    var isEmpty: Bool { entries.isEmpty }

    subscript(element: String) -> Entry? {
        index(of: element).map { entries[$0] }
    }

    private mutating func insert(_ path: ArraySlice<String>) {
        guard let name = path.first else { return }
        let element = FieldSet.field(name)
        var entry = self[element] ?? Entry(element: element, isMember: false)
        if path.count == 1 { entry.isMember = true } else { entry.children.insert(path.dropFirst()) }
        entries.removeAll { $0.element == element }
        entries.append(entry)
        entries.sort { $0.element < $1.element }
    }

    private func index(of element: String) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].element < element { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].element == element ? low : nil
    }

    static func field(_ name: String) -> String { "f:" + name }
}

extension FieldSet {
    func union(_ other: FieldSet) -> FieldSet {
        if isEmpty { return other }
        return combined(with: other) { left, right in
            switch (left, right) {
            case (let left?, let right?):
                Entry(
                    element: left.element, isMember: left.isMember || right.isMember,
                    children: left.children.union(right.children))
            default: left ?? right
            }
        }
    }

    func intersection(_ other: FieldSet) -> FieldSet {
        if isEmpty || other.isEmpty { return FieldSet() }
        return combined(with: other) { left, right in
            guard let left, let right else { return nil }
            return Entry(
                element: left.element, isMember: left.isMember && right.isMember,
                children: left.children.intersection(right.children))
        }
    }

    /// What is not in `other`, path by path: children of a removed member stay.
    func subtracting(_ other: FieldSet) -> FieldSet {
        if isEmpty || other.isEmpty { return self }
        return combined(with: other) { left, right in
            guard let left, let right else { return left }
            return Entry(
                element: left.element, isMember: left.isMember && !right.isMember,
                children: left.children.subtracting(right.children))
        }
    }

    /// What is neither in `other` nor below a member of it.
    func subtractingTrees(_ other: FieldSet) -> FieldSet {
        if isEmpty || other.isEmpty { return self }
        return combined(with: other) { left, right in
            guard let left, let right else { return left }
            if right.isMember { return nil }
            return Entry(
                element: left.element, isMember: left.isMember,
                children: left.children.subtractingTrees(right.children))
        }
    }

    /// Walks over both sets side by side.
    private func combined(with other: FieldSet, _ combine: (Entry?, Entry?) -> Entry?) -> FieldSet {
        var result: [Entry] = []
        result.reserveCapacity(entries.count)
        func add(_ entry: Entry?) {
            if let entry, !entry.isMeaningless { result.append(entry) }
        }
        var left = 0
        var right = 0
        while left < entries.count || right < other.entries.count {
            if right == other.entries.count {
                add(combine(entries[left], nil))
                left += 1
            } else if left == entries.count {
                add(combine(nil, other.entries[right]))
                right += 1
            } else if entries[left].element == other.entries[right].element {
                add(combine(entries[left], other.entries[right]))
                left += 1
                right += 1
            } else if entries[left].element < other.entries[right].element {
                add(combine(entries[left], nil))
                left += 1
            } else {
                add(combine(nil, other.entries[right]))
                right += 1
            }
        }
        return FieldSet(sorted: result)
    }

    /// The paths of all members, as Kubernetes prints them: `.spec.parts[name="a"].weight`.
    var memberPaths: [String] {
        var paths: [String] = []
        collectPaths(below: "", into: &paths)
        return paths
    }

    private func collectPaths(below prefix: String, into paths: inout [String]) {
        for entry in entries {
            let path = prefix + FieldSet.printed(entry.element)
            if entry.isMember { paths.append(path) }
            entry.children.collectPaths(below: path, into: &paths)
        }
    }

    static func printed(_ element: String) -> String {
        let content = String(element.dropFirst(2))
        switch element.first {
        case "f": return ".\(content)"
        case "i": return "[\(content)]"
        case "v": return "[=\(content)]"
        default:
            let keys = (try? JSON(parsing: content))?.object ?? JSONObject()
            return "[" + keys.map { "\($0)=\($1.text)" }.joined(separator: ",") + "]"
        }
    }
}

extension FieldSet {
    static let maximumDepth = 256

    /// Reads `fieldsV1`; nil when it is not of the format.
    init?(_ json: JSON, depth: Int = 0) {
        guard let object = json.object, depth < Self.maximumDepth else { return nil }
        var entries: [Entry] = []
        for (element, value) in object where element != "." {
            guard Self.isElement(element), let content = value.object,
                let children = content.isEmpty ? FieldSet() : FieldSet(value, depth: depth + 1)
            else { return nil }
            // What holds nothing is itself the member.
            let isMember = content.isEmpty || content.contains(".")
            entries.append(Entry(element: element, isMember: isMember, children: children))
        }
        self.init(unsorted: entries)
    }

    private static func isElement(_ text: String) -> Bool {
        var bytes = text.utf8.makeIterator()
        switch bytes.next() {
        case UInt8(ascii: "f"), UInt8(ascii: "k"), UInt8(ascii: "v"), UInt8(ascii: "i"):
            return bytes.next() == UInt8(ascii: ":")
        default: return false
        }
    }

    /// `fieldsV1`
    var json: JSON { .object(object(isMember: false)) }

    private func object(isMember: Bool) -> JSONObject {
        var members: [(key: String, value: JSON)] = []
        members.reserveCapacity(entries.count + 1)
        if isMember, !entries.isEmpty { members.append((".", .object(JSONObject()))) }
        for entry in entries {
            members.append((entry.element, .object(entry.children.object(isMember: entry.isMember))))
        }
        return JSONObject(members)
    }
}
