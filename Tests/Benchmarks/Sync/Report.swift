import Foundation

/// The time of each hop, over all writes.
struct Report {
    private struct Hop {
        let name: String
        /// Milliseconds, ascending.
        let times: [Double]

        func quantile(_ q: Double) -> Double {
            times.isEmpty ? .nan : times[min(times.count - 1, Int(Double(times.count) * q))]
        }
    }

    private let load: Load
    private let hops: [Hop]

    init(_ load: Load, _ installation: Installation) {
        let (published, delivered) = (installation.published.arrivals(), installation.delivered.arrivals())
        func hop(_ name: String, _ from: (String) -> Double?, _ to: (String) -> Double?) -> Hop {
            let times = load.due.keys.compactMap { title in
                from(title).flatMap { start in to(title).map { ($0 - start) * 1000 } }
            }
            return Hop(name: name, times: times.sorted())
        }
        self.load = load
        hops = [
            hop("due to answered", { load.due[$0] }, { load.answered[$0] }),
            hop("due to transaction", { load.due[$0] }, { published[$0]?.event }),
            hop("transaction to relay's publish", { published[$0]?.event }, { published[$0]?.call }),
            hop("publish to delivery at realtime", { published[$0]?.call }, { delivered[$0]?.call }),
            hop("delivery to frame at the client", { delivered[$0]?.call }, { load.received[$0] }),
            hop("due to frame at the client", { load.due[$0] }, { load.received[$0] }),
        ]
    }

    func show() {
        print("\(load.due.count) writes at \(load.perSecond)/s; ms           p50      p99      max")
        for hop in hops {
            let name = hop.name.padding(toLength: 34, withPad: " ", startingAt: 0)
            print(name + [0.5, 0.99, 1].map { String(format: "%8.1f ", hop.quantile($0)) }.joined())
        }
        print("not at the client: \(load.due.count - load.received.count)")
    }
}
