internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import StructuredData

extension APIServer {
    func get(_ request: ResourceRequest) throws(StatusError) -> APIResponse {
        let name = request.name ?? ""
        if let revision = try request.query.integer("resourceVersion"), revision > Int(store.revision) {
            throw .tooLargeRevision(UInt64(revision), current: store.revision)
        }
        guard let stored = store.object(request.key, in: request.table) else {
            throw .notFound(request.resource, name)
        }
        let (form, encoding) = try request.accept.negotiated()
        guard form == .object, encoding == .json, !request.resource.needsConversion else {
            let object = try request.resource.object(from: stored)
            return try respond(with: object, to: request)
        }
        return .json(200, stored.bytes)
    }

    /// One object in the form and encoding that the client asked for.
    func respond(
        with object: JSON, to request: ResourceRequest, status: Int = 200, warnings: [String] = []
    ) throws(StatusError) -> APIResponse {
        let (form, encoding) = try request.accept.negotiated()
        let shown =
            switch form {
            case .object: object
            case .metadata(let version): partialMetadata(object, version: version)
            case .table(let version):
                TablePrinter.table(
                    request.resource, objects: [object],
                    metadata: ["resourceVersion": object.at("metadata", "resourceVersion") ?? ""],
                    include: request.includeObject, now: nowSeconds, version: version)
            }
        guard encoding == .yaml else { return .json(status, shown, warnings: warnings) }
        var response = APIResponse.json(status, Array(YAML.write(shown).utf8), warnings: warnings)
        response.headers[.contentType] = "application/yaml"
        return response
    }

    func partialMetadata(_ object: JSON, version: String) -> JSON {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": object["metadata"] ?? [:],
        ]
    }

    var nowSeconds: Int { Int(configuration.now().microseconds / 1_000_000) }
    /// RFC 3339, whole seconds.
    var nowText: String { configuration.now().text }
}

extension ResourceRequest {
    var includeObject: TablePrinter.IncludeObject {
        query["includeObject"].flatMap(TablePrinter.IncludeObject.init) ?? .metadata
    }
}
