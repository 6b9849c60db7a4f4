import Concurrency
import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

@testable import KubernetesClient

/// Answers requests from a script, one step a request, and remembers what was asked.
final class StubServer: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var headers: HTTPFields
        var body: JSON?
    }

    enum Step: Sendable {
        case answer(Int, JSON, headers: HTTPFields = [:])
        case text(Int, String)
        case chunks([[UInt8]], then: HTTPTransportError? = nil)
        case failure(HTTPTransportError)
    }

    private let state: Lock<(steps: [Step], requests: [Request], raw: [ClientRequest])>

    init(_ steps: [Step]) { state = Lock((steps.reversed(), [], [])) }

    convenience init(_ json: JSON) { self.init([.answer(200, json)]) }

    var requests: [Request] { state.withLock { $0.requests } }
    var raw: [ClientRequest] { state.withLock { $0.raw } }

    var transport: InMemoryTransport {
        InMemoryTransport { [self] request in
            let body: JSON? = if case .bytes(let bytes) = request.body { try JSON(parsing: bytes) } else { nil }
            let path = String(request.url.dropFirst(Self.address.count))
            let step = state.withLock { state in
                state.requests.append(
                    Request(method: request.method.rawValue, path: path, headers: request.headers, body: body))
                state.raw.append(request)
                return state.steps.popLast()
            }
            switch step {
            case .answer(let code, let json, let headers):
                return ClientResponse(
                    status: .init(code: code), headers: headers, body: Self.body([json.encoded()], then: nil))
            case .text(let code, let text):
                return ClientResponse(status: .init(code: code), body: Self.body([Array(text.utf8)], then: nil))
            case .chunks(let chunks, let error):
                return ClientResponse(status: .ok, body: Self.body(chunks, then: error))
            case .failure(let error): throw error
            case nil:
                Issue.record("request \(request.method) \(path) was not expected")
                throw HTTPTransportError.closed
            }
        }
    }

    static let address = "https://cluster.test:6443"

    func client(
        credentials: Credentials = .none, impersonation: ClusterConfiguration.Impersonation? = nil,
        options: KubernetesClient.Options = KubernetesClient.Options()
    ) -> KubernetesClient {
        KubernetesClient(
            configuration: ClusterConfiguration(
                server: Self.address, namespace: "home", credentials: credentials, impersonation: impersonation),
            transport: transport, options: options)
    }

    private static func body(_ chunks: [[UInt8]], then error: HTTPTransportError?) -> ResponseBody {
        let rest = Lock(Array(chunks.reversed()))
        return ResponseBody { () async throws(HTTPTransportError) in
            if let chunk = rest.withLock({ $0.popLast() }) { return chunk }
            if let error { throw error }
            return nil
        }
    }
}

/// A clock that stands still but for what is slept on it, and for `advance`.
final class FakeClock: Sendable {
    private let state = Lock((elapsed: Duration.zero, sleeps: [Duration]()))
    let start = KubernetesTime("2026-01-01T00:00:00Z") ?? KubernetesTime(seconds: 0)

    var sleeps: [Duration] { state.withLock { $0.sleeps } }
    func advance(by duration: Duration) { state.withLock { $0.elapsed += duration } }

    var clock: ClientClock {
        ClientClock(
            elapsed: { self.state.withLock { $0.elapsed } },
            now: { self.start.advanced(by: self.state.withLock { $0.elapsed }) },
            sleep: { duration in
                try Task.checkCancellation()
                self.state.withLock { state in
                    state.elapsed += duration
                    state.sleeps.append(duration)
                }
            })
    }
}

/// A folder that is removed with this object.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: file).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }
}

/// The error that `body` throws, as text; fails the test when it throws none.
func message<Failure: Error>(_ body: () async throws(Failure) -> some Any) async -> String {
    do {
        _ = try await body()
        Issue.record("nothing was thrown")
        return ""
    } catch { return "\(error)" }
}

func apiError(_ body: () async throws(APIError) -> some Any) async -> APIError? {
    do {
        _ = try await body()
        Issue.record("nothing was thrown")
        return nil
    } catch { return error }
}

func status(_ code: Int, _ reason: String, _ message: String = "why") -> JSON {
    [
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": JSON(code), "reason": JSON(reason),
        "message": JSON(message),
    ]
}

func configMap(_ name: String, version: Int = 1) -> JSON {
    [
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": ["namespace": "home", "name": JSON(name), "resourceVersion": JSON(String(version))],
    ]
}
