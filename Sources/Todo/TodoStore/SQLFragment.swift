public import Postgres

/// A piece of SQL and its parameters, which are numbered when the pieces have become one statement.
///
///     let condition: SQLFragment = "t.priority >= \(priority) AND (\(others))"
public struct SQLFragment: Sendable, ExpressibleByStringInterpolation {
    fileprivate enum Piece: Sendable {
        case text(String)
        case parameter(any PostgresEncodable)
    }

    fileprivate var pieces: [Piece]

    public init(stringLiteral value: String) { pieces = [.text(value)] }
    public init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }

    public struct StringInterpolation: StringInterpolationProtocol, Sendable {
        fileprivate var pieces: [Piece] = []

        public init(literalCapacity: Int, interpolationCount: Int) {
            pieces.reserveCapacity(2 * interpolationCount + 1)
        }

        public mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { pieces.append(.text(literal)) }
        }

        public mutating func appendInterpolation(_ value: some PostgresEncodable) { pieces.append(.parameter(value)) }
        /// NULL for nil.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            pieces.append(.parameter(value))
        }
        public mutating func appendInterpolation(_ fragment: SQLFragment) { pieces += fragment.pieces }

        /// SQL as it stands. Never pass what came from outside the program.
        public mutating func appendInterpolation(raw: String) { pieces.append(.text(raw)) }
    }

    /// The fragments with `separator`, SQL as it stands, in between.
    public static func joined(_ fragments: [SQLFragment], by separator: String) -> SQLFragment {
        var whole: SQLFragment = ""
        for (place, fragment) in fragments.enumerated() {
            if place > 0 { whole.pieces.append(.text(separator)) }
            whole.pieces += fragment.pieces
        }
        return whole
    }

    /// The statement that the fragment is. A fragment that occurs in it twice sends its parameters twice.
    public func query(named name: String) -> PostgresQuery {
        var sql = ""
        var parameters: [any PostgresEncodable] = []
        for piece in pieces {
            switch piece {
            case .text(let text): sql += text
            case .parameter(let value):
                parameters.append(value)
                sql += "$\(parameters.count)"
            }
        }
        return PostgresQuery(name: name, sql, parameters)
    }
}
