import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData
import TaskService
import Testing

/// Input that nobody means well by: answered by 4xx or a closed connection, never by 5xx, and the service goes on.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RobustnessTests {
    /// `FUZZ_REQUESTS=50000` for a long run.
    private static let requests = ProcessInfo.processInfo.environment["FUZZ_REQUESTS"].flatMap { Int($0) } ?? 1600

    @Test func `whatever is asked, nothing breaks`() async throws {
        try await RunningService.with { service in
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let things = try await Belongings.of(ada, sharedWith: ben, as: "editor")
            let document = ServedDocument(try await service.send(.get, "/v1/openapi.json", token: nil).json)
            let counts = try await withThrowingTaskGroup(of: [Int: Int].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var fuzzer = RequestFuzzer(seed: UInt64(worker + 1), document: document, things: things)
                        var counts: [Int: Int] = [:]
                        for _ in 0..<(Self.requests / 8) {
                            let request = fuzzer.next()
                            let answer = try await service.send(
                                request.method, request.path, bytes: request.body, headers: request.headers(ada.token))
                            counts[answer.status, default: 0] += 1
                            #expect(
                                answer.status < 500,
                                "\(request.method) \(request.path) \(String(decoding: request.body ?? [], as: UTF8.self).prefix(300)): \(answer.text)"
                            )
                        }
                        return counts
                    }
                }
                return try await group.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
            }
            // A fuzzer that never gets anywhere shows nothing.
            #expect((counts[200] ?? 0) + (counts[201] ?? 0) > Self.requests / 50, "\(counts)")
            #expect((counts[422] ?? 0) > Self.requests / 50 && (counts[400] ?? 0) > Self.requests / 50, "\(counts)")
            #expect(try await service.send(.get, "/readyz").status == 200)
        }
    }

    @Test(arguments: [
        "GET /v1/tasks HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET\r\n\r\n",
        "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /v1/tasks?q=\u{ff} HTTP/1.1\r\nHost: x\r\n\r\n", "GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%00/../.. HTTP/1.1\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ])
    func `what is no HTTP is closed, or refused`(_ text: String) async throws {
        try await RunningService.with(configure: { $0.idleTimeout = .milliseconds(300) }) { service in
            let answer = try await StallingClient.send(text, port: service.port)
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer.prefix(200))")
            #expect(try await service.send(.get, "/readyz").status == 200)
        }
    }

    @Test func `a flood of headers is refused`() async throws {
        try await RunningService.with { service in
            let flood = (0..<20_000).map { "X-\($0): \($0)\r\n" }.joined()
            let one = "X-Long: " + String(repeating: "a", count: 1 << 20) + "\r\n"
            for headers in [flood, one] {
                let answer = try await StallingClient.send(
                    "GET /v1/tasks HTTP/1.1\r\nHost: x\r\n\(headers)\r\n", port: service.port)
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer.prefix(200))")
            }
            #expect(try await service.send(.get, "/readyz").status == 200)
        }
    }

    @Test func `a hundred megabytes are not kept`() async throws {
        try await RunningService.with { service in
            let body = [UInt8](repeating: UInt8(ascii: " "), count: 100 << 20)
            let headers: HTTPFields = [
                .authorization: "Bearer \(RunningService.token)", .contentType: "application/json",
            ]
            let before = Self.residentBytes()
            for _ in 0..<3 {
                // The connection may be closed while the body is sent.
                let answer = try? await service.send(.post, "/v1/tasks", bytes: body, headers: headers)
                #expect(answer?.status ?? 413 == 413)
            }
            let list = try await service.send(.get, "/v1/tasks")
            #expect(list.status == 200)
            // The client keeps a copy while it sends.
            #expect(Self.residentBytes() - before < 250 << 20)
        }
    }

    @Test func `a body that is compressed is not unpacked`() async throws {
        try await RunningService.with { service in
            let answer = try await service.send(
                .post, "/v1/tasks", bytes: [0x1f, 0x8b, 8, 0],
                headers: [
                    .authorization: "Bearer \(RunningService.token)", .contentType: "application/json",
                    .contentEncoding: "gzip",
                ])
            #expect(answer.status == 415)
        }
    }

    @Test func `a long answer is compressed for who takes that`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let text = JSON.string(String(repeating: "all work and no play ", count: 500))
            let path = "/v1/tasks/\(try await ada.make("/v1/tasks", ["title": "x", "description": text]).id)"
            let plain = try await ada.send(.get, path)
            #expect(plain.headers[.contentEncoding] == nil && plain.json["description"] == text)
            // libcurl asks for what it can unpack, and unpacks it, where it is told to; here it is not.
            let packed = try await service.send(
                .get, path, bytes: nil,
                headers: [.authorization: "Bearer \(ada.token)", .acceptEncoding: "br, gzip;q=0.5"])
            #expect(packed.headers[.contentEncoding] == "gzip" && packed.headers[.vary] == "Accept-Encoding")
            #expect(packed.bytes.starts(with: [0x1f, 0x8b]) && packed.bytes.count < plain.bytes.count / 10)
            for header in ["gzip;q=0", "br", "identity"] {
                let answer = try await service.send(
                    .get, path, bytes: nil,
                    headers: [.authorization: "Bearer \(ada.token)", .acceptEncoding: header])
                #expect(answer.headers[.contentEncoding] == nil && answer.bytes == plain.bytes)
            }
        }
    }

    private static func residentBytes() -> Int {
        let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }
}
