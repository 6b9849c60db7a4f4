internal import Concurrency
internal import FoundationEssentials
internal import HTTPTransport
internal import HTTPTypes
internal import Logging
internal import StructuredData

/// Why the API was of no help.
enum APIFailure: Error, Equatable {
    /// It does not let the person in, or no longer.
    case refused(String)
    case badCursor(String)
    /// The cursor is ahead of what there is.
    case outdated
    /// It is away, overloaded or broken; tried several times.
    case unavailable(String)
}

/// What is asked of the API, each time with the person's own token or cookie: who they are and what changed for them.
struct TodoAPI: Sendable {
    private static let pageSize = 200
    /// Pages are cut at 2 MiB of changes.
    private static let bodyLimit = 4 << 20
    /// Waits before another try.
    private static let retryDelays: [Duration] = [.milliseconds(100), .milliseconds(400), .seconds(1), .seconds(2)]

    /// Without a slash at its end.
    private let url: String
    private let transport: any HTTPTransport
    private let logger: Logger
    /// When a failure was logged last: with the API away everybody's requests fail.
    private let lastLogged = Lock<ContinuousClock.Instant?>(nil)
    // A restart makes everybody come at once: in line here, they cost less than as requests under way.
    private let gate: Gate

    init(url: String, transport: any HTTPTransport, concurrency: Int, logger: Logger) {
        self.url = url
        self.transport = transport
        self.logger = logger
        gate = Gate(limit: concurrency)
    }

    /// Whose the credential is.
    func user(_ credential: Credential) async throws(APIFailure) -> UUID {
        try await get("/v1/me", credential, delays: Self.retryDelays) {
            $0["id"]?.string.flatMap { UUID(uuidString: $0) }
        }
    }

    /// The next page of changes.
    /// - Parameter isPatient: whether to try several times.
    func changes(
        after cursor: StreamCursor, _ credential: Credential, isPatient: Bool = true
    ) async throws(APIFailure) -> ChangesPage {
        let after = cursor.positions.isEmpty ? "" : "&after=\(cursor.text)"
        return try await get(
            "/v1/changes?limit=\(Self.pageSize)\(after)", credential, delays: isPatient ? Self.retryDelays : []
        ) { json in
            // A page that leads nowhere would be asked for again and again.
            ChangesPage(json).flatMap { $0.hasMore && $0.cursor == cursor ? nil : $0 }
        }
    }

    private func get<Value: Sendable>(
        _ path: String, _ credential: Credential, delays: [Duration], read: (JSON) -> Value?
    ) async throws(APIFailure) -> Value {
        var delays = delays.makeIterator()
        while true {
            do {
                return try await once(path, credential, read: read)
            } catch .unavailable(let why) {
                guard let delay = delays.next(), !Task.isCancelled else {
                    if !Task.isCancelled { log(why) }
                    throw .unavailable(why)
                }
                // Backs off; when the connection is gone meanwhile, the next round ends it.
                try? await Task.sleep(for: delay * Double.random(in: 0.5...1))
            }
        }
    }

    private func log(_ why: String) {
        let isDue = lastLogged.withLock { last in
            if let last, last.duration(to: .now) < .seconds(10) { return false }
            last = .now
            return true
        }
        if isDue { logger.warning("the API is of no help", metadata: ["error": "\(why)"]) }
    }

    private func once<Value: Sendable>(
        _ path: String, _ credential: Credential, read: (JSON) -> Value?
    ) async throws(APIFailure) -> Value {
        await gate.enter()
        let result = await Result { () async throws(HTTPTransportError) -> (HTTPResponse.Status, [UInt8]) in
            let response = try await transport.send(
                ClientRequest(
                    url: url + path, headers: Self.headers(credential), connectTimeout: .seconds(5),
                    idleTimeout: .seconds(10), totalTimeout: .seconds(30)))
            return (response.status, try await response.body.collect(upTo: Self.bodyLimit))
        }
        await gate.leave()
        switch result {
        case .failure(let error): throw .unavailable("\(error)")
        case .success((let status, let body)):
            let json = try? JSON(parsing: body)
            let detail = json?["detail"]?.string ?? status.reasonPhrase
            switch status.code {
            case 200:
                if let value = json.flatMap(read) { return value }
                throw .unavailable("\(path) was answered with something else")
            case 401, 403: throw .refused(String(detail.prefix(60)))
            case 410: throw .outdated
            case 400, 422: throw .badCursor(String(detail.prefix(60)))
            default: throw .unavailable("\(path) was answered with \(status.code): \(detail)")
            }
        }
    }

    /// The API is not to answer by what it heard of the credential some seconds ago: the next check is much later.
    private static func headers(_ credential: Credential) -> HTTPFields {
        var headers: HTTPFields = [.cacheControl: "no-cache"]
        switch credential {
        case .token(let token): headers[.authorization] = "Bearer \(token)"
        case .session(let secret): headers[.cookie] = "\(Credential.cookieName)=\(secret)"
        }
        return headers
    }
}

extension Result where Success: Sendable {
    fileprivate init(_ body: () async throws(Failure) -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
