/// YAML 1.1 as Kubernetes reads and writes it (sigs.k8s.io/yaml), to and from JSON values.
public enum YAML {
    /// The documents of a YAML stream, in order; a document without content is null, a stream without documents gives
    /// none.
    ///
    /// Unquoted scalars are read as kubectl reads them: `yes`, `on` and `y` are true, `0777` and `0o777` are octal,
    /// `1_000` is a number, dates stay strings. Keys become strings. Anchors, aliases and merge keys (`<<`) are expanded
    /// within `limits`. A key given twice in one mapping is an error.
    public static func parse(
        _ bytes: some Collection<UInt8>, limits: YAMLLimits = .default
    ) throws(YAMLError) -> [JSON] {
        guard bytes.count <= limits.json.maxBytes else {
            throw YAMLError("the input has \(bytes.count) bytes, at most \(limits.json.maxBytes) are allowed", line: 1)
        }
        var builder = YAMLBuilder(limits: limits)
        let events = YAMLEvents(Array(bytes))
        while try builder.handle(try events.next()) {}
        return builder.documents
    }

    /// The documents of a YAML stream.
    public static func parse(
        _ text: some StringProtocol, limits: YAMLLimits = .default
    ) throws(YAMLError) -> [JSON] {
        try parse(text.utf8, limits: limits)
    }

    /// One YAML document as `kubectl -o yaml` lays it out: two spaces per level, sequences not indented beneath their
    /// key, multi-line strings as literal blocks, and quotes where a plain string would be read as something else.
    /// Members keep their order unless `sortedKeys`.
    public static func write(_ json: JSON, sortedKeys: Bool = false) -> String {
        write(documents: [json], sortedKeys: sortedKeys)
    }

    /// A YAML stream, the documents separated by `---`.
    public static func write(documents: [JSON], sortedKeys: Bool = false) -> String {
        var emitter = YAMLEmitter(sortedKeys: sortedKeys)
        return documents.map { emitter.text(of: $0) }.joined(separator: "---\n")
    }
}

/// What a YAML input may cost before it is refused.
public struct YAMLLimits: Sendable, Hashable {
    /// Depth and size, as for JSON. An alias counts with the depth of what it stands for.
    public var json: JSONLimits
    /// How many values all aliases and merge keys together may stand for.
    public var maxAliasedValues: Int

    public static let `default` = YAMLLimits()

    public init(json: JSONLimits = .default, maxAliasedValues: Int = 100_000) {
        self.json = json
        self.maxAliasedValues = maxAliasedValues
    }
}

/// Why and where a text is not YAML that Kubernetes would take.
public struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and what to do about it.
    public let message: String
    /// Line of the fault, from 1.
    public let line: Int

    public var description: String { "line \(line): \(message)" }

    init(_ message: String, line: Int) {
        self.message = message
        self.line = line
    }
}
