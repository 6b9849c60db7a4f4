import Foundation

// Measures the embedded API server over TLS, from another process on the same machine:
//   cluster-bench [objects] [seconds]
// `cluster-bench serve` is the server's side, started by the first.

let arguments = CommandLine.arguments
if arguments.count > 1, arguments[1] == "serve" {
    try await Server.run()
} else {
    let objects = arguments.count > 1 ? Int(arguments[1]) ?? 20_000 : 20_000
    let seconds = arguments.count > 2 ? Int(arguments[2]) ?? 10 : 10
    try await Measurement(objects: objects, seconds: seconds).run(program: arguments[0])
}
