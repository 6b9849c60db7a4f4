internal import APIServerKinds
internal import HTTPTransport
internal import HTTPTypes
internal import KubernetesClient
internal import StructuredData

/// A page of objects and what the list's metadata says of it.
struct Page: Sendable {
    var objects: [StoredObject]
    var revision: UInt64
    var continuation: ContinueToken?
    var remaining: Int?

    var metadata: JSON {
        var metadata: JSON = ["resourceVersion": .string(String(revision))]
        if let continuation { metadata["continue"] = .string(continuation.text) }
        metadata["remainingItemCount"] = remaining.map { JSON($0) }
        return metadata
    }
}

extension APIServer {
    func list(_ request: ResourceRequest) throws(StatusError) -> APIResponse {
        let options = try ListOptions(request, isWatch: false)
        let (form, encoding) = try request.accept.negotiated()
        let page = try page(request, options)
        guard encoding == .json else { return try listAsYAML(page, request) }
        switch form {
        case .object where !request.resource.needsConversion: return spliced(page, request)
        case .object: return try converted(page, request)
        case .metadata(let version):
            let items = try page.objects.map { stored throws(StatusError) in
                partialMetadata(try request.resource.object(from: stored), version: version)
            }
            return .json(
                200,
                [
                    "kind": "PartialObjectMetadataList", "apiVersion": .string("meta.k8s.io/\(version)"),
                    "metadata": page.metadata, "items": .array(items),
                ])
        case .table(let version):
            let objects = try page.objects.map { stored throws(StatusError) in try request.resource.object(from: stored)
            }
            return .json(
                200,
                TablePrinter.table(
                    request.resource, objects: objects, metadata: page.metadata, include: request.includeObject,
                    now: nowSeconds, version: version))
        }
    }

    /// The objects that the request selects, at the revision that it asks for.
    func page(_ request: ResourceRequest, _ options: ListOptions) throws(StatusError) -> Page {
        let (objects, revision) = try objects(request, options)
        var page = Page(objects: [], revision: revision)
        let selection = options.selection
        let scope = request.resource.scope(namespace: request.namespace, name: selection.name)
        if case .object(let key) = scope {
            if let object = objects[key], selection.includes(object) { page.objects = [object] }
            return page
        }
        let prefix = request.resource.type.namespaced ? request.namespace.map { "\($0)/" } ?? "" : ""
        var iterator = objects.iterator(from: options.continuation?.start ?? prefix)
        while let object = iterator.next() {
            guard object.key.hasPrefix(prefix) else { break }
            guard selection.includes(object) else { continue }
            if let limit = options.limit, page.objects.count == limit {
                let pinned = options.continuation.map { $0.revision } ?? revision
                page.continuation = ContinueToken(revision: pinned, start: object.key)
                if selection.isEverything { page.remaining = 1 + Self.count(&iterator, prefix: prefix) }
                break
            }
            page.objects.append(object)
        }
        return page
    }

    private static func count(_ iterator: inout SortedObjects.Iterator, prefix: String) -> Int {
        var count = 0
        while let object = iterator.next(), object.key.hasPrefix(prefix) { count += 1 }
        return count
    }

    private func objects(
        _ request: ResourceRequest, _ options: ListOptions
    ) throws(StatusError) -> (SortedObjects, UInt64) {
        do throws(StoreError) {
            if let token = options.continuation {
                guard let revision = token.revision else { return store.objects(in: request.table) }
                return (try store.objects(in: request.table, at: revision), revision)
            }
            let current = store.objects(in: request.table)
            guard let revision = options.revision, revision != 0 else { return current }
            guard revision <= current.revision else {
                throw .future(requested: revision, current: current.revision)
            }
            // A limit with a revision and no match means that very revision (the older rule of the API).
            let isExact = options.match == .exact || options.match == nil && options.limit != nil
            return isExact ? (try store.objects(in: request.table, at: revision), revision) : current
        } catch {
            if case .compacted = error, let token = options.continuation { throw expiredToken(token) }
            throw StatusError(error)
        }
    }

    /// 410 with a token that goes on at the present state, for clients that can live with it.
    private func expiredToken(_ token: ContinueToken) -> StatusError {
        var error = StatusError.expired(
            """
            The provided continue parameter is too old to display a consistent list result. You can start a new list \
            without the continue parameter, or use the continue token in this response to retrieve the remainder of \
            the results. Continuing with the provided token results in an inconsistent list - objects that were \
            created, modified, or deleted between the time the first chunk was returned and now may show up in the list.
            """)
        error.metadata = ["continue": .string(ContinueToken(revision: nil, start: token.start).text)]
        return error
    }

    private func listHead(_ page: Page, _ resource: ServedResource) -> [UInt8] {
        let kind = JSON.string("\(resource.type.kind)List").text
        let version = JSON.string(resource.type.apiVersion).text
        return Array(#"{"kind":\#(kind),"apiVersion":\#(version),"metadata":\#(page.metadata.text),"items":["#.utf8)
    }

    /// The list made of the stored bytes, in chunks when it is long.
    private func spliced(_ page: Page, _ request: ResourceRequest) -> APIResponse {
        let head = listHead(page, request.resource)
        let size = page.objects.reduce(head.count + 2) { $0 + $1.bytes.count + 1 }
        guard size > 1 << 18 else {
            var bytes = head
            bytes.reserveCapacity(size)
            for (index, object) in page.objects.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(contentsOf: object.bytes)
            }
            bytes.append(contentsOf: "]}".utf8)
            return .json(200, bytes)
        }
        var response = APIResponse.json(200, [UInt8]())
        response.body = .chunks(Self.chunks(head: head, objects: page.objects))
        return response
    }

    private static func chunks(head: [UInt8], objects: [StoredObject]) -> ResponseBody {
        let position = ListPosition()
        return ResponseBody { () throws(HTTPTransportError) -> [UInt8]? in
            position.nextChunk(head: head, objects: objects)
        }
    }

    private func converted(_ page: Page, _ request: ResourceRequest) throws(StatusError) -> APIResponse {
        var bytes = listHead(page, request.resource)
        for (index, stored) in page.objects.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            try request.resource.object(from: stored).write(into: &bytes)
        }
        bytes.append(contentsOf: "]}".utf8)
        return .json(200, bytes)
    }

    private func listAsYAML(_ page: Page, _ request: ResourceRequest) throws(StatusError) -> APIResponse {
        let items = try page.objects.map { stored throws(StatusError) in try request.resource.object(from: stored) }
        let list: JSON = [
            "kind": .string("\(request.resource.type.kind)List"),
            "apiVersion": .string(request.resource.type.apiVersion), "metadata": page.metadata, "items": .array(items),
        ]
        var response = APIResponse.json(200, Array(YAML.write(list).utf8))
        response.headers[.contentType] = "application/yaml"
        return response
    }
}

extension ServedResource {
    /// The keys that a path and a required name leave over.
    func scope(namespace: String?, name: String?) -> WatchScope {
        guard type.namespaced else { return name.map { .object(key: $0) } ?? .all }
        guard let namespace else { return .all }
        return name.map { .object(key: "\(namespace)/\($0)") } ?? .namespace(namespace)
    }
}
