/// What is wrong with a request, field by field.
public struct ValidationError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Field: Sendable, Hashable {
        /// The member's name; empty for the body as a whole.
        public let field: String
        /// What the sender must do.
        public let message: String

        public init(_ field: String, _ message: String) {
            self.field = field
            self.message = message
        }
    }

    public let fields: [Field]

    public init(_ fields: [Field]) { self.fields = fields }

    public var description: String {
        fields.map { $0.field.isEmpty ? $0.message : "\($0.field): \($0.message)" }.joined(separator: "; ")
    }
}
