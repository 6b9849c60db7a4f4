public import StructuredData

/// A set of requirements on labels, all of which must hold.
/// Grammar of `labelSelector` in list and watch requests, and of `metav1.LabelSelector` in objects.
public struct LabelSelector: Sendable, Hashable {
    public let requirements: [LabelRequirement]

    /// Selects everything.
    public static let everything = LabelSelector(requirements: [])

    public var isEmpty: Bool { requirements.isEmpty }

    public init(requirements: [LabelRequirement]) { self.requirements = requirements }

    /// Parses `a=b,c in (d,e),!f,g>3`.
    public init(parsing text: String) throws(SelectorError) {
        var parser = LabelSelectorParser(text)
        requirements = try parser.parse()
    }

    /// Reads `matchLabels` and `matchExpressions`, as Deployments and policies have them. Nil when an expression has an
    /// operator that is none of the four.
    public init?(labelSelector: JSON) {
        var requirements: [LabelRequirement] = []
        for (key, value) in labelSelector["matchLabels"]?.object ?? JSONObject() {
            requirements.append(LabelRequirement(key: key, .equals(value.string ?? "")))
        }
        for expression in labelSelector["matchExpressions"]?.array ?? [] {
            guard let key = expression["key"]?.string else { return nil }
            let values = expression["values"]?.array?.compactMap(\.string) ?? []
            switch expression["operator"]?.string {
            case "In": requirements.append(LabelRequirement(key: key, .oneOf(values)))
            case "NotIn": requirements.append(LabelRequirement(key: key, .noneOf(values)))
            case "Exists": requirements.append(LabelRequirement(key: key, .exists))
            case "DoesNotExist": requirements.append(LabelRequirement(key: key, .absent))
            default: return nil
            }
        }
        self.requirements = requirements
    }

    /// Reads a plain map, as Services and ReplicationControllers have it.
    public init(map: JSON) {
        requirements = (map.object ?? JSONObject()).map { LabelRequirement(key: $0, .equals($1.string ?? "")) }
    }

    /// Whether `labels`, an object's `metadata.labels` or nil, meet every requirement.
    public func matches(_ labels: JSON?) -> Bool {
        requirements.allSatisfy { $0.matches(labels?[$0.key]?.string) }
    }

    public func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { $0.matches(labels[$0.key]) }
    }

    /// The text form, keys in order: what a `Scale`'s `status.selector` holds and a wide table prints.
    public var text: String {
        requirements.sorted { $0.key < $1.key }.map(\.text).joined(separator: ",")
    }
}

/// One condition on the value of one label.
public struct LabelRequirement: Sendable, Hashable {
    public enum Condition: Sendable, Hashable {
        case equals(String)
        case differs(String)
        case oneOf([String])
        case noneOf([String])
        case exists
        case absent
        case above(Int)
        case below(Int)
    }

    public let key: String
    public let condition: Condition

    public init(key: String, _ condition: Condition) {
        self.key = key
        self.condition = condition
    }

    /// Whether the label's value, nil when the object lacks the label, meets the condition. A negative condition is met
    /// by an absent label.
    public func matches(_ value: String?) -> Bool {
        switch condition {
        case .equals(let wanted): value == wanted
        case .differs(let unwanted): value != unwanted
        case .oneOf(let wanted): value.map(wanted.contains) ?? false
        case .noneOf(let unwanted): value.map { !unwanted.contains($0) } ?? true
        case .exists: value != nil
        case .absent: value == nil
        case .above(let bound): value.flatMap { Int($0) }.map { $0 > bound } ?? false
        case .below(let bound): value.flatMap { Int($0) }.map { $0 < bound } ?? false
        }
    }

    var text: String {
        switch condition {
        case .equals(let value): "\(key)=\(value)"
        case .differs(let value): "\(key)!=\(value)"
        case .oneOf(let values): "\(key) in (\(values.sorted().joined(separator: ",")))"
        case .noneOf(let values): "\(key) notin (\(values.sorted().joined(separator: ",")))"
        case .exists: key
        case .absent: "!\(key)"
        case .above(let bound): "\(key)>\(bound)"
        case .below(let bound): "\(key)<\(bound)"
        }
    }
}
