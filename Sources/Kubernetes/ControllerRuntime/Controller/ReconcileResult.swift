/// What a pass over a key came to.
public enum ReconcileResult: Sendable, Equatable {
    /// Nothing more to do until something changes.
    case done
    /// Look again after this time, whatever happens.
    case requeue(after: Duration)
}

/// An error that trying again does not cure: the key is left alone until something changes.
public protocol TerminalReconcileError: Error {}

/// A terminal error in words.
public struct TerminalError: TerminalReconcileError, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
