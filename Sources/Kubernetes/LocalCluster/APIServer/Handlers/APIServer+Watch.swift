internal import APIServerKinds
internal import HTTPTransport
internal import HTTPTypes
internal import KubernetesClient
internal import StructuredData

extension APIServer {
    func watch(_ request: ResourceRequest) throws(StatusError) -> APIResponse {
        let options = try ListOptions(request, isWatch: true)
        let (form, _) = try request.accept.negotiated()
        var response = APIResponse.json(200, [UInt8]())
        let scope = request.resource.scope(namespace: request.namespace, name: options.selection.name)
        let start: ObjectStore.WatchStart =
            if let revision = options.revision, revision > 0, !options.sendInitialEvents {
                .after(revision)
            } else {
                .currentState
            }
        do throws(StoreError) {
            let (watcher, objects, revision) = try store.watch(request.table, scope: scope, from: start)
            let encoder = WatchEncoder(
                resource: request.resource, selection: options.selection, form: form, include: request.includeObject,
                now: { [configuration] in Int(configuration.now().microseconds / 1_000_000) })
            let wantsInitial = if case .currentState = start { !options.skipsInitialEvents } else { false }
            let session = WatchSession(
                watcher: watcher, table: request.table, store: store, encoder: encoder,
                initial: WatchSession.Initial(
                    objects: wantsInitial ? objects : SortedObjects(), scope: scope, revision: revision,
                    endsWithBookmark: options.sendInitialEvents && options.allowsBookmarks))
            let timeout = options.timeoutSeconds.map { Duration.seconds($0) } ?? configuration.watchTimeout
            session.startTimer(
                bookmarks: options.allowsBookmarks ? configuration.bookmarkInterval : nil, timeout: timeout)
            response.body = .stream(ResponseBody { () throws(HTTPTransportError) in await session.nextChunk() })
        } catch {
            // A revision that is gone is told inside the watch, as the real server does.
            guard case .compacted(let requested, let oldest) = error else { throw StatusError(error) }
            let status = StatusError.tooOldRevision(requested, oldest: oldest)
            response.body = .bytes(WatchEncoder.errorLine(status))
        }
        return response
    }
}
