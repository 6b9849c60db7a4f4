internal import Concurrency

/// What a request carries to prove who sends it.
struct Credential: Sendable, Hashable {
    /// The `Authorization` header.
    var authorization: String?
    /// A client certificate that takes the place of the configuration's.
    var identity: ClientIdentity?
    /// Counts renewals, so that a refusal of an old credential does not throw away a newer one.
    var generation = 0
}

/// Gives the present credential and renews it when it is old or refused.
///
/// An actor: one reading of a file or run of a plugin at a time, the others wait for its result.
actor CredentialSource {
    /// How long a token file's content is taken to be the same.
    static let tokenFileLifetime = Duration.seconds(60)

    private let credentials: Credentials
    private let clock: ClientClock
    private let run: @Sendable (ExecPlugin) async throws(ConfigurationError) -> [UInt8]
    private let state = Lock(State())
    private var running: Task<Result<Credential, ConfigurationError>, Never>?

    private struct State: Sendable {
        var credential: Credential?
        /// On the monotonic clock.
        var read = Duration.zero
        /// On the wall clock, as the plugin said.
        var expiration: KubernetesTime?
        var generation = 0
    }

    init(
        _ credentials: Credentials, clock: ClientClock,
        run: @escaping @Sendable (ExecPlugin) async throws(ConfigurationError) -> [UInt8] = {
            plugin
                async throws(ConfigurationError) -> [UInt8] in try await plugin.run()
        }
    ) {
        self.credentials = credentials
        self.clock = clock
        self.run = run
    }

    nonisolated func current() async throws(ConfigurationError) -> Credential {
        switch credentials {
        case .none: return Credential()
        case .token(let token): return Credential(authorization: "Bearer \(token)")
        case .basic(let user, let password):
            return Credential(authorization: "Basic \(Base64.encode(Array("\(user):\(password)".utf8)))")
        case .tokenFile(let path, let fallback): return try tokenFile(path, fallback: fallback)
        case .exec(let plugin):
            if let fresh = freshFromPlugin() { return fresh }
            return try await renewed(by: plugin)
        }
    }

    /// The server refused `refused`. True when another try makes sense: there is a newer credential or a way to one.
    nonisolated func renew(after refused: Credential) -> Bool {
        switch credentials {
        case .none, .token, .basic: return false
        case .tokenFile, .exec:
            state.withLock { state in
                if state.credential?.generation == refused.generation { state.credential = nil }
            }
            return true
        }
    }

    private nonisolated func tokenFile(
        _ path: String, fallback: String?
    ) throws(ConfigurationError) -> Credential {
        let now = clock.elapsed()
        let known = state.withLock { $0 }
        if let credential = known.credential, now - known.read < Self.tokenFileLifetime { return credential }
        do throws(FileError) {
            let text = String(decoding: try Files.read(path), as: UTF8.self)
            let token = text.trimmingBlanks()
            guard !token.isEmpty else { throw FileError(path: path, problem: "is empty") }
            return store("Bearer \(token)", read: now)
        } catch {
            // A token may be absent for a moment while it is being replaced: the last one is as good as none.
            if let credential = known.credential { return credential }
            if let fallback { return store("Bearer \(fallback)", read: now) }
            throw ConfigurationError(source: "token file", message: error.description)
        }
    }

    private nonisolated func store(_ authorization: String, read: Duration) -> Credential {
        state.withLock { state in
            state.generation += 1
            let credential = Credential(authorization: authorization, generation: state.generation)
            state.credential = credential
            state.read = read
            return credential
        }
    }

    private nonisolated func freshFromPlugin() -> Credential? {
        let now = clock.now()
        return state.withLock { state in
            if let expiration = state.expiration, expiration <= now { return nil }
            return state.credential
        }
    }

    private func renewed(by plugin: ExecPlugin) async throws(ConfigurationError) -> Credential {
        if let fresh = freshFromPlugin() { return fresh }
        if let running { return try await running.value.get() }
        // A task of its own: a caller that is cancelled must not cost the others their credential.
        let task = Task { await self.credential(from: plugin) }
        running = task
        defer { running = nil }
        return try await task.value.get()
    }

    private func credential(from plugin: ExecPlugin) async -> Result<Credential, ConfigurationError> {
        do {
            let answer = try plugin.credential(from: try await run(plugin))
            let credential = state.withLock { state in
                state.generation += 1
                let credential = Credential(
                    authorization: answer.token.map { "Bearer \($0)" }, identity: answer.identity,
                    generation: state.generation)
                state.credential = credential
                state.expiration = answer.expiration
                return credential
            }
            return .success(credential)
        } catch {
            return .failure(error)
        }
    }
}
