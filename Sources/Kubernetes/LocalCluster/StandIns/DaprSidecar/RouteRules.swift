internal import KubernetesSchema
internal import StructuredData

/// The rules of a subscription, ready to run.
struct RouteRules: Sendable {
    private let rules: [(match: CELPredicate?, path: String)]

    /// - Throws: when a rule is no expression.
    init(_ rules: [SubscriptionSpec.Rule]) throws(CELPredicate.Failure) {
        self.rules = try rules.map { rule throws(CELPredicate.Failure) in
            (rule.match.isEmpty ? nil : try CELPredicate(rule.match, variable: "event"), rule.path)
        }
    }

    /// The path of the first rule that holds; nil when none does.
    /// - Throws: when a rule cannot be answered for the event, which counts as a failed delivery.
    func path(for event: [UInt8]) throws -> String? {
        // Most subscriptions have no rule: then nothing is parsed.
        if let first = rules.first, first.match == nil { return first.path }
        let json = try JSON(parsing: event)
        for (match, path) in rules where try match?.holds(for: json) ?? true { return path }
        return nil
    }
}
