import Foundation

// The operator against the embedded cluster, each the release build in a process of its own, with a real PostgreSQL:
//
//     operator-bench [apps, 1000] [path of todo]
//
// Claims: 300 TodoApps with replicas 0 applied at once are all reconciled; with 1,000 the operator takes <= 60 MB (<= 15
// with none), <= 1 % of a core when idle, and <= 3 ms of CPU for the first reconcile of each.

let arguments = CommandLine.arguments
let apps = arguments.count > 1 ? max(300, Int(arguments[1]) ?? 1000) : 1000
let program =
    arguments.count > 2
    ? arguments[2]
    : URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "../../../../../.build/release/todo").standardizedFileURL.path

let installation = try await Installation.start(program: program)
do {
    try await Measurement(installation: installation, apps: apps).run()
    await installation.stop()
} catch {
    print("failed: \(error)\nthe logs are kept in \(installation.folder)")
    await installation.stop(keepingLogs: true)
    exit(1)
}
