// Requests per second and CPU per request of CurlTransport, against an nginx on the loopback that answers 148 bytes of
// JSON; beside async-http-client when built with TODO_BENCH_AHC=1. Both parse the whole head and read the whole body.
// The clients take turns in short rounds and the ratio is the median of the rounds' ratios, so that other load on the
// machine, which comes and goes in seconds, hits both alike: the figures of one run compare, those of two runs do not.
//
//     swift run -c release http-bench [seconds per round, 0.5] [rounds, 21] [client: its name's beginning] [in flight]

import Foundation

let arguments = CommandLine.arguments.dropFirst().map { $0 }
let secondsPerRound = arguments.first.flatMap { Double($0) } ?? 0.5
let rounds = arguments.dropFirst().first.flatMap { Int($0) } ?? 21
let chosen = arguments.dropFirst(2).first ?? ""
let inFlight = arguments.dropFirst(3).first.flatMap { Int($0) }.map { [$0] } ?? [1, 16, 64]
do {
    let server = try await BenchmarkServer()
    let clients = allClients().filter { $0.name.hasPrefix(chosen) }
    try await compare(
        clients, url: server.url, inFlight: inFlight, secondsPerRound: secondsPerRound, rounds: max(1, rounds))
    await server.stop()
} catch {
    FileHandle.standardError.write(Data("http-bench: \(error)\n".utf8))
    exit(1)
}
