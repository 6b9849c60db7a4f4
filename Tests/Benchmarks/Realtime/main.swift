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
            format: "%@  connected in %.1f s, %.1f KB each; last receiver p50 %.0f ms, p99 %.0f ms",
            name.padding(toLength: 16, withPad: " ", startingAt: 0), idle.seconds, idle.kilobytesEach,
            fanOut.quantile(0.5), fanOut.quantile(0.99)))
}

func compare(connections: Int, messages: Int) async throws {
    let feed = Feed(people: 100)
    let api = await feed.serve()
    let ours = try await BenchmarkServer.ours(api: api)
    let (fast, back) = try await runBlocking { () throws -> (FanOut, Reconnect) in
        let measurement = Measurement(ours, feed: feed, count: connections, expectsReady: true)
        let idle = try measurement.connect()
        let fanOut = try measurement.broadcast(messages)
        report(ours.name, idle, fanOut)
        let back = try measurement.reconnect()
        measurement.finish()
        return (fanOut, back)
    }
    print(
        String(
            format: "  all back: ready after %.1f s, everything after %.1f s; lost %d, twice %d",
            back.secondsToReady, back.secondsToAll, back.lost, back.repeated))
    await ours.stop()
    guard let peer = try await BenchmarkServer.peer() else {
        print("node's ws is not installed: no comparison (apt-get install nodejs node-ws)")
        return
    }
    let slow = try await runBlocking { () throws -> FanOut in
        let measurement = Measurement(peer, feed: feed, count: connections, expectsReady: false)
        let idle = try measurement.connect()
        let fanOut = try measurement.broadcast(messages)
        report(peer.name, idle, fanOut)
        return fanOut
    }
    await peer.stop()
    print(
        String(
            format: "  ratio p50 %.2fx, p99 %.2fx", fast.quantile(0.5) / slow.quantile(0.5),
            fast.quantile(0.99) / slow.quantile(0.99)))
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
