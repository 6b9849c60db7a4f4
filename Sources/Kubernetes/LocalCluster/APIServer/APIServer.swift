public import APIServerKinds
internal import Concurrency
internal import Crypto
public import HTTPTransport
internal import HTTPTypes
public import KubernetesClient
public import Logging
internal import StructuredData

/// An API server that clients cannot tell from kube-apiserver in daily use: `respond(to:)` answers requests without a
/// network; `APIServerListener` serves it over TLS; `transport(as:)` is for clients in the same process.
///
/// Objects live in memory; with a data folder every acknowledged write is on disk as well. It starts with what a new
/// cluster has: the system namespaces, the `kubernetes` Service, the default ClusterRoles. Controllers, such as those
/// for garbage collection and namespaces, are clients and not part of it.
public final class APIServer: Sendable {
    public struct Configuration: Sendable {
        /// Where objects and keys are kept; nil keeps them in memory only.
        public var dataFolder: String?
        /// `host:port`, for discovery.
        public var advertisedAddress = "127.0.0.1:6443"
        /// A bearer token that is the administrator's; nil for none.
        public var adminToken: String?
        /// Where Services get their cluster IPs; the first one is that of the `kubernetes` Service.
        public var serviceRange = AddressRange.services
        /// How often a watch that allows bookmarks gets one.
        public var bookmarkInterval: Duration = .seconds(60)
        /// How long a watch lasts that names no timeout.
        public var watchTimeout: Duration = .seconds(1_800)
        /// How many past writes of a resource watches can start from.
        public var historyEvents = 8_192
        /// The largest request body, in bytes.
        public var bodyLimit = 3 << 20
        /// The wall clock.
        public var now: @Sendable () -> KubernetesTime = { .now }

        public init() {}
    }

    public let configuration: Configuration
    /// Everything that is served.
    public let registry: ResourceRegistry
    /// Faults to make, for tests; none unless told.
    public let faults = Faults()
    let store: ObjectStore
    let journal: Journal?
    let tokens: TokenIssuer
    let serviceAddresses: ServiceAddresses
    let reservations = QuotaReservations()
    let logger: Logger
    /// The definitions whose instances are being deleted.
    let finalizing = Lock<Set<String>>([])
    /// Held while what is served is brought in line with a definition.
    let serving = Lock(())
    private let runtime = Lock<(any PodRuntime)?>(nil)

    /// Reads the data folder, which no other server may be using, and fills in what a new cluster has.
    public init(configuration: Configuration = Configuration(), logger: Logger = Logger(label: "apiserver"))
        async throws(StorageError)
    {
        self.configuration = configuration
        self.logger = logger
        registry = ResourceRegistry()
        serviceAddresses = ServiceAddresses(configuration.serviceRange)
        var limits = ObjectStore.Limits()
        limits.history.events = configuration.historyEvents
        if let folder = configuration.dataFolder {
            let (journal, state) = try Journal.open("\(folder)/objects", logger: logger)
            self.journal = journal
            store = ObjectStore(limits: limits, initial: state, journal: journal)
            tokens = try Self.tokenIssuer(in: folder)
        } else {
            journal = nil
            store = ObjectStore(limits: limits, initial: RecoveredState(revision: 1))
            tokens = TokenIssuer()
        }
        restore()
        await bootstrap()
    }

    /// What reads the pods' logs; without one `pods/NAME/log` is refused.
    public func setPodRuntime(_ new: (any PodRuntime)?) { runtime.withLock { $0 = new } }

    var podRuntime: (any PodRuntime)? { runtime.withLock { $0 } }

    /// A transport for a client in this process, which is taken for `user`.
    public func transport(as user: UserInfo) -> InMemoryTransport {
        InMemoryTransport { [self] request in
            try await respond(to: APIRequest(request, user: user)).clientResponse
        }
    }

    /// Ends all watches, and makes everything that was acknowledged durable. Requests are still answered.
    public func stop() async {
        store.stopWatches()
        if let journal {
            do { try await journal.close() } catch {
                logger.error("the log was not closed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// As `stop`; and gives up the data folder, so that another server can open it. Writes are refused from then on.
    public func shutDown() async {
        await stop()
        journal?.release()
        setPodRuntime(nil)
    }

    /// What clients see when a server restarts: every watch ends, and past revisions are gone (410).
    public func forgetHistory() {
        store.compact()
        store.stopWatches()
    }

    var authorizer: Authorizer { Authorizer(store: store) }

    var authenticator: Authenticator {
        Authenticator(
            adminToken: configuration.adminToken, tokens: tokens, store: store,
            now: { [now = configuration.now] in Int(now().microseconds / 1_000_000) })
    }

    private static func tokenIssuer(in folder: String) throws(StorageError) -> TokenIssuer {
        let path = "\(folder)/service-account.key"
        if Folder.exists(path) {
            let text = String(decoding: try File(path, .read).readAll(), as: UTF8.self)
            do { return try TokenIssuer(pem: text) } catch {
                throw .io(path: path, action: "read the key in", reason: "\(error)")
            }
        }
        let issuer = TokenIssuer()
        let file = try File(path, .create)
        try file.write(Array(issuer.pem.utf8))
        try file.synchronize()
        return issuer
    }
}

extension APIRequest {
    /// The request of a client in this process.
    init(_ request: ClientRequest, user: UserInfo) {
        let afterScheme = request.url.firstRange(of: "://").map { request.url[$0.upperBound...] } ?? request.url[...]
        let target = afterScheme.firstIndex(of: "/").map { String(afterScheme[$0...]) } ?? "/"
        let body: [UInt8] = if case .bytes(let bytes) = request.body { bytes } else { [] }
        self.init(
            method: request.method, target: target, headers: request.headers, body: body, credentials: .user(user))
    }
}

extension APIResponse {
    /// - Throws: `connectionLost` when a fault drops the connection.
    var clientResponse: ClientResponse {
        get throws(HTTPTransportError) {
            guard !dropsConnection else { throw .connectionLost("the server closed the connection") }
            switch body {
            case .chunks(let stream), .stream(let stream):
                return ClientResponse(status: status, headers: headers, body: stream)
            case .bytes(let bytes): return ClientResponse(status: status, headers: headers, body: .once(bytes))
            }
        }
    }
}

extension ResponseBody {
    /// A body of one chunk.
    static func once(_ bytes: [UInt8]) -> ResponseBody {
        let rest = Lock<[UInt8]?>(bytes.isEmpty ? nil : bytes)
        return ResponseBody { () throws(HTTPTransportError) in
            rest.withLock { rest in
                defer { rest = nil }
                return rest
            }
        }
    }
}
