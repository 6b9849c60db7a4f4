// How many events a second pass through the embedded sidecar in batches, and how long one takes from publish to app.
// Publisher, sidecar, topic log and app run in this one process.
//
//     swift run -c release dapr-bench [EVENTS]

let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000
try await Measurement.run(events: count)
