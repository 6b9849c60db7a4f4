import Foundation

// The task API under load: PostgreSQL, `todo serve api` and the generator, each a process of its own, on one machine;
// beside it, in turns and on the same rows, the same lists and writes in FastAPI and SQLModel (Peers/fastapi).
//
//     tasks-bench [--users 200] [--tasks 10000] [--seconds 15] [--rounds 3] [--rate 500]
//         [--connections 16] [--peer yes|no] [--todo PATH]
//
// 60 % of the requests are filtered lists of 50, 20 % reads of one task, 15 % new tasks, 5 % completions, by 32
// connections. Claims: at an open rate of 500 requests/s p95 <= 20 ms and p99 <= 60 ms, from the time at which a request
// was due; and as fast as can be >= 6 times the requests/s of the peer. Both have as many connections to PostgreSQL in
// each of their processes: more than twice the processors have these take the caches from each other.

if CommandLine.arguments.dropFirst().first == "generate" {
    do {
        try await Generator(Generator.Order(CommandLine.arguments[2])).run()
    } catch {
        FileHandle.standardError.write(Data("\(error)\n".utf8))
        exit(1)
    }
    exit(0)
}

let options: Options
do {
    options = try Options(CommandLine.arguments.dropFirst())
} catch {
    print("\(error)")
    exit(2)
}
let bench = Bench(options)
do {
    try await bench.run()
    await bench.end()
} catch {
    print("failed: \(error)\nthe logs are kept in \(bench.folder)")
    await bench.end(keepingLogs: true)
    exit(1)
}
