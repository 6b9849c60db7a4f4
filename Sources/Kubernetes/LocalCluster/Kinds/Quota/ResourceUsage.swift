public import KubernetesSchema

/// Amounts by resource name, as in `spec.hard` of a quota: `pods`, `requests.cpu`, `count/deployments.apps`.
public struct ResourceUsage: Sendable, Hashable {
    public private(set) var amounts: [String: Quantity] = [:]

    public init() {}

    public subscript(name: String) -> Quantity? {
        get { amounts[name] }
        set { amounts[name] = newValue }
    }

    public var isEmpty: Bool { amounts.isEmpty }

    mutating func add(_ amount: Quantity, to name: String) {
        amounts[name] = amounts[name].map { Quantity(nanos: $0.nanos + amount.nanos, form: $0.form) } ?? amount
    }

    mutating func add(count: Int, to name: String) { add(Self.count(count), to: name) }

    public mutating func add(_ other: ResourceUsage) {
        for (name, amount) in other.amounts { add(amount, to: name) }
    }

    /// What is more here than in `other`.
    public func growth(over other: ResourceUsage) -> ResourceUsage {
        var result = ResourceUsage()
        for (name, amount) in amounts {
            let nanos = amount.nanos - (other[name]?.nanos ?? 0)
            if nanos > 0 { result[name] = Quantity(nanos: nanos, form: amount.form) }
        }
        return result
    }

    public func only(_ names: some Sequence<String>) -> ResourceUsage {
        var result = ResourceUsage()
        for name in names { result[name] = amounts[name] }
        return result
    }

    /// The larger amount of each resource.
    func maximum(with other: ResourceUsage) -> ResourceUsage {
        var result = self
        for (name, amount) in other.amounts where amount > result[name] ?? Self.count(0) { result[name] = amount }
        return result
    }

    /// `configmaps=1,pods=2`.
    public var text: String {
        amounts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.canonical)" }.joined(separator: ",")
    }

    static func count(_ count: Int) -> Quantity {
        Quantity(nanos: Int128(count) * 1_000_000_000, form: .decimal)
    }
}
