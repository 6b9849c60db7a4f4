internal import HTTPTransport
internal import HTTPTypes
internal import StructuredData

extension KubernetesClient {
    /// One object. `namespace` nil means the configuration's for namespaced kinds. Throws `isNotFound` when absent.
    public func get(
        _ type: ResourceType, namespace: String? = nil, name: String, subresource: String? = nil
    ) async throws(APIError) -> KubernetesObject {
        try await object(try call("get", .get, type, namespace: namespace, name: name, subresource: subresource))
    }

    /// One object, or nil when there is none.
    public func getIfPresent(
        _ type: ResourceType, namespace: String? = nil, name: String
    ) async throws(APIError) -> KubernetesObject? {
        do { return try await get(type, namespace: namespace, name: name) } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// One page of objects, or all when `options.limit` is nil. `namespace` nil means all namespaces.
    /// Throws `isGone` when the continue token or the resource version is too old.
    public func list(
        _ type: ResourceType, namespace: String? = nil, options: ListOptions = ListOptions()
    ) async throws(APIError) -> ObjectList {
        var call = collectionCall("list", .get, type, namespace: namespace)
        call.query = options.query
        guard let list = ObjectList(json: try await json(call), type: type) else {
            throw core.error(call, .malformedResponse("not a list"))
        }
        return list
    }

    /// All objects, fetched in pages of `options.limit` (500 when nil). Pages that expire on the way (410) are given
    /// up once and the listing begins anew; a second time throws.
    public func listAll(
        _ type: ResourceType, namespace: String? = nil, options: ListOptions = ListOptions()
    ) async throws(APIError) -> ObjectList {
        var first = options
        first.limit = options.limit ?? 500
        first.continueToken = nil
        var page = first
        var items: [KubernetesObject] = []
        var restarted = false
        while true {
            do throws(APIError) {
                var list = try await self.list(type, namespace: namespace, options: page)
                items += list.items
                guard let token = list.continueToken else {
                    list.items = items
                    return list
                }
                page.continueToken = token
            } catch {
                guard error.isGone, page.continueToken != nil, !restarted else { throw error }
                restarted = true
                page = first
                items = []
            }
        }
    }

    /// Opens a watch; returns when the server has accepted it. `namespace` nil means all namespaces.
    ///
    /// The server ends it after `options.timeoutSeconds`, the client 5 s later. Throws `isGone` when the version asked
    /// for is too old; the server may also say so in an `.error` event.
    public func watch(
        _ type: ResourceType, namespace: String? = nil, options: WatchOptions = WatchOptions()
    ) async throws(APIError) -> WatchStream {
        var call = collectionCall("watch", .get, type, namespace: namespace)
        call.query = options.query
        let response = try await send(call, timeout: options.clientDeadline)
        let core = core
        let opened = call
        return WatchStream(body: response.body) { core.error(opened, .transport($0)) }
    }

    func call(
        _ verb: String, _ method: HTTPRequest.Method, _ type: ResourceType, namespace: String?, name: String,
        subresource: String? = nil
    ) throws(APIError) -> Call {
        let namespace = type.namespaced ? namespace ?? configuration.namespace : nil
        let call = Call(
            verb: verb, method: method,
            path: type.path(namespace: namespace, name: name, subresource: subresource))
        // An empty name would address the collection: a delete would take everything.
        guard !name.isEmpty, namespace != "" else {
            throw core.error(call, .invalidRequest("\(type.kind) needs a name and a namespace that is not empty"))
        }
        return call
    }

    func collectionCall(
        _ verb: String, _ method: HTTPRequest.Method, _ type: ResourceType, namespace: String?
    ) -> Call {
        Call(verb: verb, method: method, path: type.path(namespace: type.namespaced ? namespace : nil))
    }
}
