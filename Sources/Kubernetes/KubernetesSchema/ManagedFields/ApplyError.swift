/// Why an apply was refused.
public enum ApplyError: Error, Sendable, Hashable {
    /// Other managers own fields that the configuration wants to have other values: 409 Conflict, with one cause for
    /// each.
    case conflicts([ApplyConflict])
    /// The request cannot be an apply of this object: 400 BadRequest.
    case badRequest(String)
    /// The configuration does not fit the schema: kube-apiserver answers 500 InternalError with this message.
    case invalid(String)

    /// The message of the Status that kube-apiserver answers.
    public var message: String {
        switch self {
        case .badRequest(let message), .invalid(let message): return message
        case .conflicts(let conflicts):
            if conflicts.count == 1 {
                return "Apply failed with 1 conflict: \(conflicts[0].message): \(conflicts[0].field)"
            }
            let lines = Set(conflicts.map(\.manager)).sorted().flatMap { manager in
                ["conflicts with \(manager):"] + conflicts.filter { $0.manager == manager }.map { "- \($0.field)" }
            }
            return "Apply failed with \(conflicts.count) conflicts: \(lines.joined(separator: "\n"))"
        }
    }
}

/// A field that another manager owns with another value.
public struct ApplyConflict: Sendable, Hashable {
    /// The owner as kube-apiserver prints it: `"kubectl-create" using v1`.
    public let manager: String
    /// `.spec.replicas`
    public let field: String
    /// The message of the cause: `conflict with "m1"`. The cause's reason is `FieldManagerConflict`.
    public var message: String { "conflict with \(manager)" }

    public init(manager: String, field: String) {
        self.manager = manager
        self.field = field
    }
}
