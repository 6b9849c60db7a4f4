internal import StructuredData

/// One or several kubeconfig files taken as one, by kubectl's rules: the first file that sets a value or has an entry
/// of a name wins, and entries are never mixed. Relative paths belong to the file they stand in.
public struct Kubeconfig: Sendable {
    struct Entry: Sendable {
        let name: String
        /// The body, under `cluster`, `user` or `context`.
        let node: ConfigNode
    }

    /// The files that were read, in order.
    public private(set) var files: [String] = []
    public private(set) var currentContext: String?
    private(set) var clusters: [Entry] = []
    private(set) var users: [Entry] = []
    private(set) var contexts: [Entry] = []

    /// The names of the contexts, in order.
    public var contextNames: [String] { contexts.map(\.name) }

    /// `kubeconfig /a:/b`.
    var source: String { "kubeconfig \(files.joined(separator: ":"))" }

    /// Reads files in their order. With `skippingMissing`, those that do not exist are passed over, as kubectl does
    /// with `KUBECONFIG`; when none exists, throws.
    public init(files paths: [String], skippingMissing: Bool = false) throws(ConfigurationError) {
        for path in paths {
            let bytes: [UInt8]
            do { bytes = try Files.read(path) } catch {
                if error.isMissing, skippingMissing { continue }
                throw ConfigurationError(source: "kubeconfig \(path)", message: error.problem)
            }
            try merge(bytes, path: path)
        }
        guard !files.isEmpty else {
            throw ConfigurationError(
                source: "kubeconfig \(paths.joined(separator: ":"))", message: "does not exist")
        }
    }

    /// Reads the text of one file, as if it stood at `path`.
    public init(text: String, path: String) throws(ConfigurationError) { try merge(Array(text.utf8), path: path) }

    private mutating func merge(_ bytes: [UInt8], path: String) throws(ConfigurationError) {
        let top = try Self.read(bytes, path: path)
        files.append(path)
        if currentContext == nil { currentContext = try top.string("current-context") }
        Self.add(try Self.entries("clusters", "cluster", of: top), to: &clusters)
        Self.add(try Self.entries("users", "user", of: top), to: &users)
        Self.add(try Self.entries("contexts", "context", of: top), to: &contexts)
    }

    private static func read(_ bytes: [UInt8], path: String) throws(ConfigurationError) -> ConfigNode {
        let source = "kubeconfig \(path)"
        let documents: [JSON]
        do { documents = try YAML.parse(bytes) } catch {
            throw ConfigurationError(source: source, message: "is not YAML: \(error)")
        }
        guard documents.count <= 1 else {
            throw ConfigurationError(source: source, message: "has \(documents.count) documents, expected one")
        }
        // An empty file is a kubeconfig without entries.
        var json = documents.first ?? .null
        if json.isNull { json = [:] }
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[..<$0]) } ?? "."
        let top = ConfigNode(json: json, source: source, path: "", directory: directory)
        guard json.object != nil else { throw top.error("", "must be a mapping with clusters, users and contexts") }
        if let kind = try top.string("kind"), kind != "Config" { throw top.error("kind", "is \(kind), not Config") }
        return top
    }

    private static func entries(
        _ list: String, _ body: String, of top: ConfigNode
    ) throws(ConfigurationError) -> [Entry] {
        var entries: [Entry] = []
        for node in try top.nodes(list) {
            let name = try node.required("name")
            guard !entries.contains(where: { $0.name == name }) else {
                throw node.error("name", "\(name) is there twice")
            }
            let inner = try node.node(body, as: node.path)
            let empty = ConfigNode(json: [:], source: node.source, path: node.path, directory: node.directory)
            entries.append(Entry(name: name, node: inner ?? empty))
        }
        return entries
    }

    private static func add(_ new: [Entry], to entries: inout [Entry]) {
        for entry in new where !entries.contains(where: { $0.name == entry.name }) { entries.append(entry) }
    }
}
