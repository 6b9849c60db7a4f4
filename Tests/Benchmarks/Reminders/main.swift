import Foundation

// The reminder worker on a PostgreSQL that flushes every commit, with the relay and the embedded sidecar that publishes
// to a topic log, all on this machine:
//
//     reminders-bench [--pending 0] [--tasks 100000] [--seconds 20]
//
// First a policy is planned for so many tasks; then so many reminders of another year are put beside what is measured.
// Claims: 1,000,000 tasks are planned in < 60 s; 20,000 due at once are fired in <= 0.6 s and published in <= 1 s; at
// 200/s lateness p50 <= 2 ms and p99 <= 10 ms; at 1,000/s for 60 s p99 <= 20 ms; 10,000,000 pending change none of that.
// The last takes four minutes more: make bench BENCH="reminders-bench --pending 10000000".
do {
    let bench = try await Bench(Options(CommandLine.arguments.dropFirst()))
    try await bench.run()
    await bench.end()
} catch {
    print("failed: \(error)")
    exit(1)
}
