/// A configuration that cannot be used, in one line that names the place and the field:
/// `kubeconfig /home/a/.kube/config: users[0].client-certificate: /y does not exist`.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is at fault: `kubeconfig /x`, `in-cluster configuration`.
    public let source: String
    /// `users[0].client-certificate`; empty when the fault is not in one field.
    public let field: String
    public let message: String

    public init(source: String, field: String = "", message: String) {
        self.source = source
        self.field = field
        self.message = message
    }

    public var description: String { field.isEmpty ? "\(source): \(message)" : "\(source): \(field): \(message)" }
}
