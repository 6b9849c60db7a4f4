// Megabytes per second from text to value and back, on a list of 5,000 Deployments as kubectl gets it.
//
//     swift run -c release json-bench

import StructuredData

func best(of rounds: Int, _ body: () throws -> Void) rethrows -> Duration {
    var best = Duration.seconds(3600)
    for _ in 0..<rounds { best = min(best, try ContinuousClock().measure(body)) }
    return best
}

func rate(_ bytes: Int, _ duration: Duration) -> Int { Int(Double(bytes) / 1e6 / (duration / .seconds(1))) }

let bytes = DeploymentList.bytes(count: 5000)
var value = try JSON(parsing: bytes)
let decode = try best(of: 7) { value = try JSON(parsing: bytes) }
var encoded: [UInt8] = []
let encode = best(of: 7) { encoded = value.encoded() }
precondition(encoded == bytes, "the list did not survive the round trip")
let one = DeploymentList.deployment(1).encoded()
let object = try best(of: 5) { for _ in 0..<1000 { _ = try JSON(parsing: one) } }

print(
    "list of \(bytes.count / 1_000_000) MB: decode \(rate(bytes.count, decode)) MB/s, encode \(rate(bytes.count, encode)) MB/s"
)
print("one object of \(one.count) bytes: decode \(Int(object / .microseconds(1000))) us")
