/// Builds JSON values from YAML events. It keeps its own stack, so the depth of the input costs no stack of ours.
struct YAMLBuilder {
    /// What an anchor stands for, with what it costs to repeat it.
    private struct Node {
        let value: JSON
        var count = 1
        var depth = 0
    }

    private struct Frame {
        let anchor: String?
        let line: Int
        let isMapping: Bool
        var elements: [JSON] = []
        var members = JSONObject()
        var keyLines: [JSONObject.ByteKey: Int] = [:]
        var key: String?
        var isMergeKey = false
        var merges: [JSON] = []
        var count = 1
        var depth = 1
    }

    private(set) var documents: [JSON] = []
    private let limits: YAMLLimits
    private var frames: [Frame] = []
    private var anchors: [String: Node] = [:]
    private var root: JSON?
    private var aliasedValues = 0

    init(limits: YAMLLimits) { self.limits = limits }

    /// Takes the next event; false at the end of the stream.
    mutating func handle(_ event: YAMLEvent) throws(YAMLError) -> Bool {
        switch event.content {
        case .endOfStream: return false
        case .other: break
        case .endOfDocument:
            documents.append(root ?? .null)
            root = nil
            anchors = [:]
        case .scalar(let text, let tag, let isPlain):
            try scalar(text, tag: tag, isPlain: isPlain, event)
        case .alias: try add(try aliased(event), event)
        case .sequenceStart: try open(event, isMapping: false)
        case .mappingStart: try open(event, isMapping: true)
        case .end: try close()
        }
        return true
    }

    private mutating func scalar(_ text: String, tag: String?, isPlain: Bool, _ event: YAMLEvent) throws(YAMLError) {
        if isPlain, tag == nil, text == "<<", awaitsKey {
            frames[frames.count - 1].isMergeKey = true
            return
        }
        let value = try value(of: text, tag: tag, isPlain: isPlain, line: event.line)
        let node = Node(value: value)
        if let anchor = event.anchor { anchors[anchor] = node }
        try add(node, event)
    }

    private func value(of text: String, tag: String?, isPlain: Bool, line: Int) throws(YAMLError) -> JSON {
        switch tag {
        case nil where isPlain:
            guard !YAMLScalar.notFinite.contains(text) else {
                throw YAMLError("\(text) is not a number in JSON; quote it if it is meant as text", line: line)
            }
            return YAMLScalar.value(ofPlain: text)
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            return YAMLScalar.value(ofPlain: text)
        case "tag:yaml.org,2002:binary":
            throw YAMLError("the tag !!binary is not supported; write the base64 text as a string", line: line)
        default: return .string(text)
        }
    }

    private mutating func aliased(_ event: YAMLEvent) throws(YAMLError) -> Node {
        let name = event.anchor ?? ""
        guard let node = anchors[name] else {
            throw YAMLError(
                "the alias *\(name) has no anchor; write &\(name) before the value it stands for", line: event.line)
        }
        aliasedValues += node.count
        guard aliasedValues <= limits.maxAliasedValues else {
            throw YAMLError(
                "aliases stand for more than \(limits.maxAliasedValues) values; write the values out or use fewer aliases",
                line: event.line)
        }
        try check(depth: frames.count + node.depth, line: event.line)
        return node
    }

    private func check(depth: Int, line: Int) throws(YAMLError) {
        let most = limits.json.maxDepth
        guard depth <= most else { throw YAMLError("nested deeper than \(most) levels", line: line) }
    }

    private mutating func open(_ event: YAMLEvent, isMapping: Bool) throws(YAMLError) {
        guard !awaitsKey else {
            throw YAMLError("a list or mapping cannot be a key; use a string", line: event.line)
        }
        try check(depth: frames.count + 1, line: event.line)
        if let anchor = event.anchor { anchors[anchor] = nil }  // an alias inside must not find an older value
        frames.append(Frame(anchor: event.anchor, line: event.line, isMapping: isMapping))
    }

    private mutating func close() throws(YAMLError) {
        guard var frame = frames.popLast() else { return }
        for merge in frame.merges {
            for (key, value) in merge.object ?? [:] where !frame.members.contains(key) { frame.members[key] = value }
        }
        let value = frame.isMapping ? JSON.object(frame.members) : .array(frame.elements)
        let node = Node(value: value, count: frame.count, depth: frame.depth)
        if let anchor = frame.anchor { anchors[anchor] = node }
        try add(node, YAMLEvent(content: .end, anchor: nil, line: frame.line))
    }

    private var awaitsKey: Bool {
        guard let frame = frames.last else { return false }
        return frame.isMapping && frame.key == nil && !frame.isMergeKey
    }

    private mutating func add(_ node: Node, _ event: YAMLEvent) throws(YAMLError) {
        guard let top = frames.indices.last else {
            root = node.value
            return
        }
        if awaitsKey {
            try setKey(node.value, line: event.line)
            return
        }
        frames[top].count += node.count
        frames[top].depth = max(frames[top].depth, node.depth + 1)
        if !frames[top].isMapping {
            frames[top].elements.append(node.value)
        } else if let key = frames[top].key {
            frames[top].members[key] = node.value
            frames[top].key = nil
        } else {
            frames[top].merges += try merges(node.value, line: event.line)
            frames[top].isMergeKey = false
        }
    }

    private func merges(_ value: JSON, line: Int) throws(YAMLError) -> [JSON] {
        let sources = value.array ?? [value]
        guard sources.allSatisfy({ $0.object != nil }) else {
            throw YAMLError("the merge key << needs a mapping or a list of mappings", line: line)
        }
        return sources
    }

    private mutating func setKey(_ value: JSON, line: Int) throws(YAMLError) {
        let top = frames.count - 1
        let key: String
        switch value {
        case .string(let text): key = text
        case .bool(let flag): key = flag ? "true" : "false"
        case .number(let number): key = number.text
        case .null:
            throw YAMLError("a key is missing or null; quote it if the text \"null\" or \"~\" is meant", line: line)
        case .array, .object: throw YAMLError("a list or mapping cannot be a key; use a string", line: line)
        }
        if let first = frames[top].keyLines.updateValue(line, forKey: JSONObject.ByteKey(text: key)) {
            throw YAMLError("the key \"\(key)\" is already set on line \(first); remove one of the two", line: line)
        }
        frames[top].key = key
    }
}
