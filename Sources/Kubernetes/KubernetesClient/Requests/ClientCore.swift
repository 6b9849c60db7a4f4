internal import Concurrency
internal import HTTPTransport
internal import HTTPTypes
internal import Logging
internal import StructuredData

/// Sends calls: adds credentials and headers, tries again where that is allowed, turns refusals into `APIError`.
final class ClientCore: Sendable {
    let configuration: ClusterConfiguration
    let options: KubernetesClient.Options
    private let host: String
    private let credentials: CredentialSource
    private let connections: Connections
    private let warnings = Lock(WarningLog())

    init(configuration: ClusterConfiguration, transport: (any HTTPTransport)?, options: KubernetesClient.Options) {
        self.configuration = configuration
        self.options = options
        host = Self.host(of: configuration.server)
        credentials = CredentialSource(configuration.credentials, clock: options.clock)
        connections =
            if let transport {
                Connections(configuration: configuration, clock: options.clock) { _ in transport }
            } else {
                Connections(configuration: configuration, clock: options.clock)
            }
    }

    /// The response to `call` when its status is 2xx, with its body not yet read. Throws for every other status.
    func send(
        _ call: Call, timeout: Duration, retries: RetryPolicy, mayWrite: (@Sendable () -> Bool)?
    ) async throws(APIError) -> ClientResponse {
        let deadline = options.clock.elapsed() + timeout
        var attempt = 0
        var renewed = false
        while true {
            let left = deadline - options.clock.elapsed()
            guard left > .zero else { throw error(call, .transport(.timeout(.total))) }
            let credential = try await credential(for: call)
            if call.isWrite, mayWrite?() == false { throw error(call, .fenced) }
            let response: ClientResponse
            do { response = try await exchange(call, credential, timeout: left) } catch {
                let delay = retries.delay(
                    error: error, isSafe: call.isSafe, attempt: attempt, random: .random(in: 0..<1))
                guard let delay, options.clock.elapsed() + delay < deadline else {
                    throw self.error(call, .transport(error))
                }
                try await pause(delay, call)
                attempt += 1
                continue
            }
            if response.status.kind == .successful { return response }
            let status = await status(of: response)
            if status.isUnauthorized, !renewed, credentials.renew(after: credential) {
                renewed = true
                continue
            }
            let delay = retries.delay(
                status: status.code, retryAfter: response.headers.retryAfterSeconds, isSafe: call.isSafe,
                attempt: attempt, random: .random(in: 0..<1))
            guard let delay, options.clock.elapsed() + delay < deadline else {
                throw error(call, .status(status))
            }
            try await pause(delay, call)
            attempt += 1
        }
    }

    func collect(_ response: ClientResponse, _ call: Call) async throws(APIError) -> [UInt8] {
        do { return try await response.body.collect(upTo: options.maximumResponseBytes) } catch {
            throw self.error(call, .transport(error))
        }
    }

    func error(_ call: Call, _ cause: APIError.Cause) -> APIError {
        APIError(verb: call.verb, path: call.path, server: configuration.server, cause: cause)
    }

    private func credential(for call: Call) async throws(APIError) -> Credential {
        do { return try await credentials.current() } catch { throw self.error(call, .credentials(error)) }
    }

    private func exchange(
        _ call: Call, _ credential: Credential, timeout: Duration
    ) async throws(HTTPTransportError) -> ClientResponse {
        let started = options.clock.elapsed()
        var code: Int?
        defer {
            options.observer?(
                RequestRecord(
                    verb: call.verb, method: call.method.rawValue, host: host, path: call.path, code: code,
                    duration: options.clock.elapsed() - started))
        }
        let transport = connections.transport(for: credential.identity)
        let response = try await transport.send(request(call, credential, timeout: timeout))
        code = response.status.code
        log(WarningLog.texts(in: response.headers), of: call)
        return response
    }

    private func request(_ call: Call, _ credential: Credential, timeout: Duration) -> ClientRequest {
        var headers: HTTPFields = [.accept: call.accept, .userAgent: options.userAgent]
        if let authorization = credential.authorization { headers[.authorization] = authorization }
        if call.body != nil { headers[.contentType] = call.contentType }
        if let impersonation = configuration.impersonation { headers.append(contentsOf: impersonation.headers) }
        return ClientRequest(
            method: call.method, url: configuration.server + call.pathAndQuery, headers: headers,
            body: call.body.map { .bytes($0) } ?? .none, totalTimeout: timeout)
    }

    /// The `Status` in an error's body; one made from the HTTP status when there is none, as from a proxy.
    private func status(of response: ClientResponse) async -> Status {
        let code = response.status.code
        guard let bytes = try? await response.body.collect(upTo: 1 << 20) else {
            return Status(code: code, reason: "", message: response.status.reasonPhrase)
        }
        if let json = try? JSON(parsing: bytes), json["kind"]?.string == "Status" {
            return Status(json: json, code: code)
        }
        let text = String(decoding: bytes.prefix(300), as: UTF8.self).split(whereSeparator: \.isNewline)
            .joined(separator: " ")
        return Status(code: code, reason: "", message: text.isEmpty ? response.status.reasonPhrase : text)
    }

    private func pause(_ delay: Duration, _ call: Call) async throws(APIError) {
        do { try await options.clock.sleep(delay) } catch { throw self.error(call, .transport(.cancelled)) }
    }

    private func log(_ texts: [String], of call: Call) {
        guard let logger = options.logger else { return }
        for text in texts where warnings.withLock({ $0.isNew(text) }) {
            logger.warning("\(text)", metadata: ["verb": "\(call.verb)", "path": "\(call.path)"])
        }
    }

    private static func host(of server: String) -> String {
        let rest = server.split(separator: "://", maxSplits: 1).last ?? ""
        return String(rest.prefix { $0 != "/" })
    }
}

extension ClusterConfiguration.Impersonation {
    /// Keys of `extra` are percent-encoded: they may hold what a header's name may not.
    var headers: [HTTPField] {
        var fields: [(String, String)] = [("Impersonate-User", user)]
        if let uid { fields.append(("Impersonate-Uid", uid)) }
        fields += groups.map { ("Impersonate-Group", $0) }
        for key in extra.keys.sorted() {
            let name = PercentEncoding.encode(key).split(separator: ":", omittingEmptySubsequences: false)
                .joined(separator: "%3A")
            fields += (extra[key] ?? []).map { ("Impersonate-Extra-\(name)", $0) }
        }
        return fields.compactMap { name, value in
            HTTPField.Name(name).map { HTTPField(name: $0, value: value) }
        }
    }
}
