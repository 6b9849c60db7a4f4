internal import Concurrency

/// The kinds of metric in the Prometheus text format, version 0.0.4.
enum MetricKind: String, Sendable { case counter, gauge, histogram }

/// All series of one metric name.
struct MetricFamily: Sendable {
    let kind: MetricKind
    var series: [LabelSet: Series] = [:]
}

/// Label names and values, sorted by name, as they are written between braces.
struct LabelSet: Hashable, Sendable, Comparable {
    let text: String

    init(_ dimensions: [(String, String)]) {
        text = dimensions.sorted { $0.0 < $1.0 }
            .map { "\(MetricName.sanitized($0.0))=\"\(MetricName.escaped($0.1))\"" }
            .joined(separator: ",")
    }

    func with(_ name: String, _ value: String) -> String {
        text.isEmpty ? "{\(name)=\"\(value)\"}" : "{\(text),\(name)=\"\(value)\"}"
    }
    var braced: String { text.isEmpty ? "" : "{\(text)}" }

    static func < (left: LabelSet, right: LabelSet) -> Bool { left.text < right.text }
}

enum MetricName {
    /// Every character outside `[a-zA-Z0-9_:]` becomes `_`, and a digit in front is preceded by one.
    static func sanitized(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            let valid = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            result.unicodeScalars.append(valid || scalar == "_" || scalar == ":" ? scalar : "_")
        }
        return result.first.map(\.isNumber) == true ? "_" + result : result
    }

    static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// One time series: a number, or a histogram. Each has its own lock, so that hot counters do not meet.
final class Series: Sendable {
    struct Value {
        var number = 0.0
        var bucketCounts: [Int]
        var count = 0
        var sum = 0.0
    }

    /// Upper bounds of the buckets, ascending, without `+Inf`; empty when this is not a histogram.
    let bounds: [Double]
    private let value: Lock<Value>

    init(bounds: [Double]) {
        self.bounds = bounds
        value = Lock(Value(bucketCounts: Array(repeating: 0, count: bounds.count)))
    }

    func add(_ amount: Double) { value.withLock { $0.number += amount } }
    func set(_ number: Double) { value.withLock { $0.number = number } }

    func observe(_ sample: Double) {
        let bucket = bounds.firstIndex { sample <= $0 }
        value.withLock {
            if let bucket { $0.bucketCounts[bucket] += 1 }
            $0.count += 1
            $0.sum += sample
        }
    }

    func snapshot() -> Value { value.withLock { $0 } }
}
