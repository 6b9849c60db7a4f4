internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import KubernetesSchema
internal import StructuredData

/// A request that was found to be about a resource, by a known user.
struct ResourceRequest: Sendable {
    let request: APIRequest
    let query: Query
    let user: UserInfo
    let resource: ServedResource
    let path: ResourcePath
    let verb: String

    var namespace: String? { path.namespace }
    var name: String? { path.name }
    var subresource: String? { path.subresource }
    var table: TableID { resource.table }

    /// The key of the object that the path names.
    var key: String { resource.key(namespace: namespace, name: name ?? "") }

    var accept: Accept { Accept(request.headers[.accept] ?? "") }
}

extension ServedResource {
    /// Where the objects of this resource are kept.
    var table: TableID { TableID(group: storageVersion.group, plural: storageVersion.plural) }

    func key(namespace: String?, name: String) -> String {
        guard type.namespaced, let namespace else { return name }
        return "\(namespace)/\(name)"
    }

    /// The stored object as this resource shows it.
    func object(from stored: StoredObject) throws(StatusError) -> JSON {
        do throws(JSONParseError) {
            let json = try JSON(parsing: stored.bytes)
            return needsConversion ? fromStorage(json) : json
        } catch {
            throw .internalError("the stored object \(qualifiedPlural) \(stored.key) cannot be read: \(error)")
        }
    }

    func encode(_ object: JSON, key: String) -> EncodedObject {
        EncodedObject(key: key, object: needsConversion ? toStorage(object) : object)
    }
}

/// The options of a write that come in its query.
struct WriteOptions: Sendable {
    enum FieldValidation: String, Sendable {
        case ignore = "Ignore"
        case warn = "Warn"
        case strict = "Strict"
    }

    var fieldManager: String
    var fieldValidation = FieldValidation.warn
    var isDryRun = false
    var force: Bool?

    /// - Parameter kind: `CreateOptions`, `UpdateOptions`, `PatchOptions`, for errors.
    init(_ request: ResourceRequest, kind: String, isApply: Bool = false) throws(StatusError) {
        let query = request.query
        for value in query.all("dryRun") {
            guard value == "All" else {
                throw .invalidOptions(
                    kind, field: "dryRun", .notSupported,
                    "Unsupported value: \(quoted(value)): supported values: \"All\"")
            }
            isDryRun = true
        }
        if let text = query["fieldValidation"] {
            guard let value = FieldValidation(rawValue: text) else {
                throw .invalidOptions(
                    kind, field: "fieldValidation", .notSupported,
                    "Unsupported value: \(quoted(text)): supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"")
            }
            fieldValidation = value
        }
        if query.contains("force") {
            guard isApply else {
                throw .invalidOptions(
                    kind, field: "force", .forbidden, "Forbidden: may not be specified for non-apply patch")
            }
            force = query.flag("force")
        }
        fieldManager = try Self.fieldManager(request, kind: kind, isApply: isApply)
    }

    private static func fieldManager(
        _ request: ResourceRequest, kind: String, isApply: Bool
    ) throws(StatusError) -> String {
        if let manager = request.query["fieldManager"] {
            guard manager.utf8.count <= 128 else {
                throw .invalidOptions(
                    kind, field: "fieldManager", .tooLong, "Too long: may not be more than 128 bytes")
            }
            return manager
        }
        guard !isApply else {
            throw .invalidOptions(
                kind, field: "fieldManager", .required, "Required value: is required for apply patch")
        }
        let agent = request.request.headers[.userAgent] ?? ""
        let prefix = agent.prefix { $0 != "/" }.unicodeScalars.filter { $0.value > 0x1F && $0.value != 0x7F }
        return prefix.isEmpty ? "unknown" : String(String.UnicodeScalarView(prefix.prefix(128)))
    }
}

/// `text` in quotes, as Go's `%q` prints it.
func quoted(_ text: String) -> String {
    var result = "\""
    for character in text.unicodeScalars {
        switch character {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default: result.unicodeScalars.append(character)
        }
    }
    return result + "\""
}
