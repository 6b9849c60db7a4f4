import Concurrency
import Foundation
import HTTPTransport
import HTTPTypes
import KubernetesClient
import StructuredData
import Testing

/// `spec.secretRotation` on a platform that is in use: nobody is turned away, and events go on arriving.
@Suite(.inTime) struct SecretRotationTests {
    private static let secrets = ResourceType(group: "", version: "v1", kind: "Secret", plural: "secrets")

    @Test(.loadsProcessors) func noRequestFailsWhileTheTokensRotate() async throws {
        let up = try await TodoUp.start()
        let answers = Lock<[String: Int]>([:])
        let isDone = Lock(false)
        let caller = Task {
            while !isDone.withLock({ $0 }) {
                let status = await Self.ask(up.address, token: up.token)
                answers.withLock { $0[status, default: 0] += 1 }
                // Below the limit that one token has.
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
        defer { caller.cancel() }
        let changed = try await up.client.patch(
            .todoApps, namespace: "todo", name: "todo", .merge(["spec": ["secretRotation": "next"]]), subresource: nil,
            options: WriteOptions())
        let app = try await up.whenReady(since: changed.generation)
        #expect(app.isReady, "\(app.json.text)")
        isDone.withLock { $0 = true }
        await caller.value
        let counts = answers.withLock { $0 }
        #expect(counts["200"] ?? 0 > 20, "\(counts)")
        #expect(counts.keys.allSatisfy { $0 == "200" }, "\(counts)")
        let secret = try await up.client.get(Self.secrets, namespace: "todo", name: "todo-api-token-next")
        let token = secret.json.at("data", "token")?.string.flatMap { Data(base64Encoded: $0) } ?? Data()
        #expect(await Self.ask(up.address, token: String(decoding: token, as: UTF8.self)) == "200")
        #expect(await Self.ask(up.address, token: up.token) == "200", "until the next rotation")
        #expect(await Self.ask(up.address, token: "another") == "401")
        try await up.process.stop(SIGINT)
    }

    /// The status, or why there was no answer. Asks once more, as any client does, where a pod that ends broke the
    /// connection before it answered: that has nothing to do with tokens. Nor has an answer that says to come back, as
    /// all connections to the database are in use.
    private static func ask(
        _ address: String, token: String, isSecond: Bool = false, patience: Int = 10
    ) async -> String {
        var request = ClientRequest(url: "\(address)/v1/tasks", totalTimeout: .seconds(10))
        request.headers[.authorization] = "Bearer \(token)"
        do {
            let response = try await CurlTransport.direct.send(request)
            _ = try await response.body.collect(upTo: 1 << 20)
            let isBusy = response.status.code == 503 && response.headers[.retryAfter] != nil
            guard isBusy, patience > 0 else { return "\(response.status.code)" }
            try await Task.sleep(for: .seconds(1))
            return await ask(address, token: token, isSecond: isSecond, patience: patience - 1)
        } catch {
            guard case HTTPTransportError.connectionLost = error, !isSecond else { return "\(error)" }
            return await ask(address, token: token, isSecond: true, patience: patience)
        }
    }
}

extension CurlTransport {
    fileprivate static let direct = CurlTransport(configuration: .init(proxy: .none))
}

extension TodoUp {
    /// Waits until the app is Ready as of this generation, or for three minutes.
    fileprivate func whenReady(since generation: Int) async throws -> KubernetesObject {
        let deadline = ContinuousClock.now + .seconds(180)
        while true {
            let app = try await client.get(.todoApps, namespace: "todo", name: "todo")
            if app.generation >= generation && app.isReady || ContinuousClock.now > deadline { return app }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
