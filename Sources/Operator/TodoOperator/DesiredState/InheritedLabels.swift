internal import TodoResources

/// Which labels of a TodoApp its objects and their pods get too: an allow-list, so that those by which a GitOps tool tells
/// what is its own stay where they are. Never a label that the operator itself goes by.
public struct InheritedLabels: Sendable, Equatable {
    public static let none = InheritedLabels(keys: [], prefixes: [])

    /// Those of this operator, of Strimzi and of Dapr.
    private static let reservedPrefixes = ["todo-operator.dev/", "strimzi.io/", "dapr.io/"]

    private let keys: Set<String>
    /// With the slash.
    private let prefixes: Set<String>

    private init(keys: Set<String>, prefixes: Set<String>) {
        self.keys = keys
        self.prefixes = prefixes
    }

    /// - Parameter text: keys, and `prefix/*` for all of a prefix, separated by commas: `team,costs.example.com/*`.
    /// - Throws: the first that is neither.
    public init(_ text: String) throws(InvalidPattern) {
        var (keys, prefixes): (Set<String>, Set<String>) = ([], [])
        for part in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let match = part.wholeMatch(of: /(?:([a-z0-9][-a-z0-9.]*)\/)?(\*|[A-Za-z0-9][-_.A-Za-z0-9]*)/),
                match.1 != nil || match.2 != "*"
            else { throw InvalidPattern(description: "\"\(part)\" is no label, and no prefix/*") }
            if match.2 == "*" { prefixes.insert(String(part.dropLast())) } else { keys.insert(String(part)) }
        }
        self.init(keys: keys, prefixes: prefixes)
    }

    public struct InvalidPattern: Error, CustomStringConvertible {
        public let description: String
    }

    /// Those of the app that are on the list.
    func labels(of app: TodoApp) -> [String: String] {
        (app.metadata.labels ?? [:]).filter { key, _ in
            let prefix = key.firstIndex(of: "/").map { String(key[...$0]) } ?? ""
            return (keys.contains(key) || prefixes.contains(prefix)) && !Self.reservedPrefixes.contains(prefix)
        }
    }
}
