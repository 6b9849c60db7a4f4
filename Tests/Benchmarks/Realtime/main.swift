// WebSockets at one realtime process, beside node's ws at the same load: memory of each connection, the time from an
// event's delivery to its last receiver, and how all come back at once. The clients and the API that the service asks run
// in this process. Without nodejs and node-ws the peer is left out.
//
//     swift run -c release realtime-bench [connections, 10000] [messages, 100]

import Concurrency
import Foundation
import Glibc

func report(_ name: String, _ idle: Idle, _ fanOut: FanOut) {
    print(
        String(
            format: "%@  connected in %.1f s, %.1f KB each; last receiver p50 %.0f ms, p99 %.0f ms; CPU %.0f ms",
            name.padding(toLength: 16, withPad: " ", startingAt: 0), idle.seconds, idle.kilobytesEach,
            fanOut.quantile(0.5), fanOut.quantile(0.99), fanOut.processorTimeEach))
}

func report(_ back: Reconnect, _ faults: Faults) {
    print(
        String(
            format:
                "  all back: ready after %.1f s, everything after %.1f s, %.1f KB each; lost %d, twice %d, closed %d",
            back.secondsToReady, back.secondsToAll, back.kilobytesEach, faults.lost, faults.repeated, faults.closed))
    if !faults.closeCodes.isEmpty { print("  close codes \(faults.closeCodes)") }
}

/// Both are measured in two rounds by turns, so that what else the machine does meets both.
func compare(connections: Int, messages: Int) async throws {
    let feed = Feed(people: 100)
    let server = try await BenchmarkServer.ours(api: await feed.serve())
    guard let peerServer = try await BenchmarkServer.peer() else {
        print("node's ws is not installed: no comparison (apt-get install nodejs node-ws)")
        try await runBlocking {
            let ours = Measurement(server, feed: feed, count: connections, resumes: true)
            let idle = try ours.connect()
            var fanOut = FanOut()
            try ours.broadcast(messages, into: &fanOut)
            report(server.name, idle, fanOut)
            ours.leave()
            report(try ours.reconnect(), ours.faultsSoFar())
        }
        return await server.stop()
    }
    try await runBlocking {
        let ours = Measurement(server, feed: feed, count: connections, resumes: true)
        let peer = Measurement(peerServer, feed: Feed(people: 100), count: connections, resumes: false)
        var (mine, its) = (FanOut(), FanOut())
        let idle = try ours.connect()
        try ours.broadcast(messages / 2, into: &mine)
        ours.leave()
        let peerIdle = try peer.connect()
        try peer.broadcast(messages / 2, into: &its)
        peer.leave()
        let back = try ours.reconnect()
        try ours.broadcast(messages - messages / 2, into: &mine)
        let faults = ours.faultsSoFar()
        ours.leave()
        _ = try peer.connect()
        try peer.broadcast(messages - messages / 2, into: &its)
        report(server.name, idle, mine)
        report(back, faults)
        report(peerServer.name, peerIdle, its)
        print(
            String(
                format: "  ratio p50 %.2fx, p99 %.2fx, CPU %.2fx", mine.quantile(0.5) / its.quantile(0.5),
                mine.quantile(0.99) / its.quantile(0.99), mine.processorTimeEach / its.processorTimeEach))
    }
    await server.stop()
    await peerServer.stop()
}

var limit = rlimit()
getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
limit.rlim_cur = limit.rlim_max
setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
let arguments = CommandLine.arguments.dropFirst().map { $0 }
do {
    if arguments.first == "serve" {
        try await serve()
    } else {
        try await compare(
            connections: arguments.first.flatMap { Int($0) } ?? 10_000,
            messages: arguments.dropFirst().first.flatMap { Int($0) } ?? 100)
    }
} catch {
    FileHandle.standardError.write(Data("realtime-bench: \(error)\n".utf8))
    exit(1)
}
