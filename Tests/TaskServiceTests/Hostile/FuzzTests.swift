import Foundation
import HTTPTransport
import HTTPTypes
import StructuredData
import TaskService
import Testing

/// Requests that are nearly right, to every route of every service: answered, never by 5xx, and the services go on.
@Suite(.timeLimit(.minutes(10))) struct FuzzTests {
    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

    /// `FUZZ_REQUESTS=50000` for a long run.
    private static let requests = number("FUZZ_REQUESTS") ?? 8_000
    /// `FUZZ_SEED` of a failure makes the same requests again, in each of the workers'.
    private static let seed = number("FUZZ_SEED") ?? 1
    private static let workers = 8

    @Test func `whatever is asked, nothing breaks`() async throws {
        try await Installation.with { installation in
            let service = installation.api
            let (ada, ben) = (try await service.person("ada"), try await service.person("ben"))
            let things = try await Belongings.of(ada, sharedWith: ben, as: "editor", in: installation)
            let document = try await installation.document()
            let counts = try await withThrowingTaskGroup(of: [Int: Int].self) { group in
                for worker in 0..<Self.workers {
                    let fuzzer = RequestFuzzer(
                        seed: UInt64(Self.seed * 1000 + worker), document: document, things: things)
                    group.addTask { try await Self.run(fuzzer, worker, service, ada.token) }
                }
                return try await group.reduce(into: [:]) { $0.merge($1) { $0 + $1 } }
            }
            // A fuzzer that never gets anywhere shows nothing.
            #expect((counts[200] ?? 0) + (counts[201] ?? 0) > Self.requests / 50, "\(counts)")
            #expect((counts[422] ?? 0) > Self.requests / 50 && (counts[400] ?? 0) > Self.requests / 50, "\(counts)")
            for path in ["/readyz", "/v1/audit", "/v1/channels"] {
                try await service.eventually(.get, path, token: ada.token) { $0.status == 200 }
            }
        }
    }

    private static func run(
        _ fuzzer: RequestFuzzer, _ worker: Int, _ service: RunningService, _ token: String
    ) async throws -> [Int: Int] {
        var (fuzzer, counts) = (fuzzer, [Int: Int]())
        for number in 0..<(requests / workers) {
            let request = fuzzer.next()
            let answer = try await RunningService.patiently {
                try await service.send(
                    request.method, request.path, bytes: request.body, headers: request.headers(token))
            }
            counts[answer.status, default: 0] += 1
            guard answer.status < 500 else {
                let body = String(decoding: request.body ?? [], as: UTF8.self).prefix(300)
                Issue.record(
                    "FUZZ_SEED=\(seed), worker \(worker), request \(number): \(request.method) \(request.path) \(body): \(answer.text)"
                )
                continue
            }
        }
        return counts
    }
}
