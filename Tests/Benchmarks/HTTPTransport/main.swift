// Requests per second and CPU per request of CurlTransport, against an nginx on the loopback that answers 148 bytes of
// JSON; beside async-http-client when built with TODO_BENCH_AHC=1. Rounds alternate, the median counts: the figures of
// one run compare, those of two runs do not.
//
//     swift run -c release http-bench [seconds per round]

import Foundation

let secondsPerRound = CommandLine.arguments.dropFirst().first.flatMap { Double($0) } ?? 1.5
do {
    let server = try BenchmarkServer()
    defer { server.stop() }
    try await compare(clients(), url: server.url, secondsPerRound: secondsPerRound, rounds: 5)
} catch {
    FileHandle.standardError.write(Data("http-bench: \(error)\n".utf8))
    exit(1)
}
