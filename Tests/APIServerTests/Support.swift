import HTTPTransport
import HTTPTypes
import KubernetesClient
import Logging
import StructuredData
import Testing

@testable import APIServer

/// A server without a network, and short ways to ask it things.
struct TestServer {
    let api: APIServer

    init(_ configure: (inout APIServer.Configuration) -> Void = { _ in }) async throws {
        var configuration = APIServer.Configuration()
        configure(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        api = try await APIServer(configuration: configuration, logger: logger)
        _ = await send(.post, "/api/v1/namespaces/default/serviceaccounts", ["metadata": ["name": "default"]])
    }

    struct Answer {
        let code: Int
        let headers: HTTPFields
        let json: JSON
        let text: String

        var reason: String? { json["reason"]?.string }
        var message: String { json["message"]?.string ?? "" }
        var warnings: [String] { HTTPField.Name("Warning").map { headers[values: $0] } ?? [] }
        var revision: String { json.at("metadata", "resourceVersion")?.string ?? "" }
        var names: [String] { json["items"]?.array?.compactMap { $0.at("metadata", "name")?.string } ?? [] }
    }

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil, type: String = "application/json",
        accept: String? = nil, as user: UserInfo = .admin, agent: String = "tester/1.0"
    ) async -> Answer {
        await send(method, target, bytes: body?.encoded() ?? [], type: type, accept: accept, as: user, agent: agent)
    }

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ target: String, bytes: [UInt8], type: String = "application/json",
        accept: String? = nil, as user: UserInfo = .admin, agent: String = "tester/1.0"
    ) async -> Answer {
        var headers: HTTPFields = [.userAgent: agent]
        if !bytes.isEmpty { headers[.contentType] = type }
        headers[.accept] = accept
        let response = await api.respond(
            to: APIRequest(
                method: method, target: target, headers: headers, body: bytes, credentials: .user(user)))
        var body: [UInt8] = []
        switch response.body {
        case .bytes(let bytes): body = bytes
        case .chunks(let stream), .stream(let stream): body = (try? await stream.collect(upTo: 100 << 20)) ?? []
        }
        return Answer(
            code: response.status.code, headers: response.headers, json: (try? JSON(parsing: body)) ?? .null,
            text: String(decoding: body, as: UTF8.self))
    }

    /// Opens a watch; nil when it was refused.
    func watch(_ target: String, accept: String? = nil, as user: UserInfo = .admin) async -> WatchLines? {
        var headers: HTTPFields = [:]
        headers[.accept] = accept
        let response = await api.respond(
            to: APIRequest(target: target, headers: headers, credentials: .user(user)))
        switch response.body {
        case .chunks(let stream), .stream(let stream): return WatchLines(stream)
        case .bytes(let bytes): return response.status == .ok ? WatchLines(.once(bytes)) : nil
        }
    }

    @discardableResult
    func configMap(_ name: String, _ data: JSON = [:], labels: JSON = [:], namespace: String = "default") async
        -> Answer
    {
        await send(
            .post, "/api/v1/namespaces/\(namespace)/configmaps",
            ["metadata": ["name": .string(name), "labels": labels], "data": data])
    }

    static let configMaps = "/api/v1/namespaces/default/configmaps"
    static let merge = "application/merge-patch+json"
    static let jsonPatch = "application/json-patch+json"
    static let strategic = "application/strategic-merge-patch+json"
    static let apply = "application/apply-patch+yaml"
    static let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
}

/// The events of a watch, line by line.
final class WatchLines {
    private var iterator: ResponseBody.AsyncIterator
    private var buffer: [UInt8] = []

    init(_ body: ResponseBody) { iterator = body.makeAsyncIterator() }

    /// The next event; nil at the end.
    func next() async throws -> JSON? {
        while true {
            if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[..<end])
                buffer.removeSubrange(...end)
                return try JSON(parsing: line)
            }
            guard let chunk = try await iterator.next() else { return nil }
            buffer += chunk
        }
    }

    /// `TYPE name` of the next events.
    func summaries(_ count: Int) async throws -> [String] {
        var result: [String] = []
        while result.count < count, let event = try await next() { result.append(Self.summary(event)) }
        return result
    }

    static func summary(_ event: JSON) -> String {
        let name = event.at("object", "metadata", "name")?.string
        return [event["type"]?.string ?? "", name].compactMap { $0 }.joined(separator: " ")
    }
}
