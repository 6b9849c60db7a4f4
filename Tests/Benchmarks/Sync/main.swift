// From one person's write to the other person's socket, hop by hop, at an open rate: `todo serve api` and `todo serve
// realtime` of the release build, each a process of its own, on a PostgreSQL that flushes every commit. The sidecars with
// the topic log between them, which `todo up` has in its own process, are in this one; so are the people.
//
//     sync-bench [writes a second, 200] [seconds, 30]
//
// People come in pairs that share a project: one writes as the web page does, with an Idempotency-Key, the other is
// connected through api. Claim: at 200 writes/s p99 <= 100 ms, from the time at which a write was due.

import Foundation

let numbers = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 }
guard numbers.allSatisfy({ $0 > 0 }), numbers.count <= 2 else {
    print("sync-bench takes two numbers from 1: writes a second, and seconds")
    exit(2)
}
let folder = FileManager.default.temporaryDirectory.appending(path: "sync-bench-\(getpid())").path
do {
    try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let installation = try await Installation.start(in: folder)
    let people = try await People.make(pairs: 25, at: installation)
    _ = try await people.write(perSecond: 50, for: 3, as: "warm-up")
    let load = try await people.write(
        perSecond: numbers.first ?? 200, for: numbers.dropFirst().first ?? 30, as: "write")
    Report(load, installation).show()
    await installation.stop()
    try FileManager.default.removeItem(atPath: folder)
} catch {
    print("failed: \(error)\nthe logs are kept in \(folder)")
    exit(1)
}
