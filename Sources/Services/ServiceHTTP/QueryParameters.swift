public import FoundationEssentials
public import Hummingbird
public import TodoModel

/// The query of a request; problems name the parameter.
public struct QueryParameters: Sendable {
    private let request: Request

    public init(_ request: Request) { self.request = request }

    public subscript(name: String) -> String? { request.uri.queryParameters[Substring(name)].map(String.init) }

    public func value<Value>(_ name: String, _ message: String, _ read: (String) -> Value?) throws -> Value? {
        guard let text = self[name] else { return nil }
        guard let value = read(text) else { throw Problem.invalid(name, message) }
        return value
    }

    public func instant(_ name: String) throws -> Instant? {
        try value(name, "must be an instant, such as 2026-01-31T09:26:53Z") { Instant($0) }
    }

    public func id(_ name: String) throws -> UUID? {
        try value(name, "must be an id, such as 0192f0c1-2b3c-7d4e-8f90-123456789abc") { UUID(uuidString: $0) }
    }

    public func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        try value(name, "must be from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}
