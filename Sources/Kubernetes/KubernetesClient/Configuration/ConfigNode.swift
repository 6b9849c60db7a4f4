internal import StructuredData

/// A mapping in a configuration file that knows its place there, so that every complaint names file and field.
struct ConfigNode {
    let json: JSON
    /// `kubeconfig /x`.
    let source: String
    /// `users[0]`; empty at the top.
    let path: String
    /// Relative paths in the file start here.
    let directory: String

    func field(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func error(_ key: String = "", _ message: String) -> ConfigurationError {
        ConfigurationError(source: source, field: key.isEmpty ? path : field(key), message: message)
    }

    /// The member `key`; nil also when it is null.
    private func value(_ key: String) -> JSON? { json[key].flatMap { $0.isNull ? nil : $0 } }

    /// Nil when absent or empty: kubectl makes no difference.
    func string(_ key: String) throws(ConfigurationError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else { throw error(key, "must be a string") }
        return text.isEmpty ? nil : text
    }

    func required(_ key: String) throws(ConfigurationError) -> String {
        guard let text = try string(key) else { throw error(key, "is required") }
        return text
    }

    func bool(_ key: String) throws(ConfigurationError) -> Bool {
        guard let value = value(key) else { return false }
        guard let bool = value.bool else { throw error(key, "must be true or false") }
        return bool
    }

    func strings(_ key: String) throws(ConfigurationError) -> [String] {
        guard let value = value(key) else { return [] }
        guard let texts = value.array?.map(\.string), texts.allSatisfy({ $0 != nil }) else {
            throw error(key, "must be a list of strings")
        }
        return texts.compactMap(\.self)
    }

    func node(_ key: String, as path: String? = nil) throws(ConfigurationError) -> ConfigNode? {
        guard let value = value(key) else { return nil }
        guard value.object != nil else { throw error(key, "must be a mapping") }
        return ConfigNode(json: value, source: source, path: path ?? field(key), directory: directory)
    }

    func nodes(_ key: String) throws(ConfigurationError) -> [ConfigNode] {
        guard let value = value(key) else { return [] }
        guard let elements = value.array else { throw error(key, "must be a list") }
        var nodes: [ConfigNode] = []
        for (index, element) in elements.enumerated() {
            let node = ConfigNode(
                json: element, source: source, path: "\(field(key))[\(index)]", directory: directory)
            guard element.object != nil else { throw node.error("", "must be a mapping") }
            nodes.append(node)
        }
        return nodes
    }

    /// A path in the file system, made absolute.
    func path(_ key: String) throws(ConfigurationError) -> String? {
        guard let text = try string(key) else { return nil }
        return text.hasPrefix("/") ? text : "\(directory)/\(text)"
    }

    /// The file of PEM in `key`; nil when the field `key-data`, which comes first, has the PEM itself.
    func file(_ key: String) throws(ConfigurationError) -> String? {
        try string("\(key)-data") == nil ? try path(key) : nil
    }

    /// PEM from base64 in `dataKey`, which comes first, or from the file in `fileKey`.
    func pem(data dataKey: String, file fileKey: String) throws(ConfigurationError) -> [UInt8]? {
        if let text = try string(dataKey) {
            guard let bytes = Base64.decode(text) else { throw error(dataKey, "is not base64") }
            try checkPEM(bytes, dataKey, what: "")
            return bytes
        }
        guard let path = try path(fileKey) else { return nil }
        let bytes: [UInt8]
        do { bytes = try Files.read(path) } catch { throw self.error(fileKey, error.description) }
        try checkPEM(bytes, fileKey, what: "\(path) ")
        return bytes
    }

    private func checkPEM(_ bytes: [UInt8], _ key: String, what: String) throws(ConfigurationError) {
        if let problem = PEM.problem(bytes) { throw error(key, "\(what)\(problem)") }
    }
}

enum PEM {
    /// Why the bytes cannot be used; nil when they look as they should.
    static func problem(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("-----BEGIN ") else { return "is not PEM" }
        guard !text.contains("-----BEGIN ENCRYPTED PRIVATE KEY"), !text.contains("Proc-Type: 4,ENCRYPTED") else {
            return "is encrypted; give the key without a passphrase"
        }
        return nil
    }
}
