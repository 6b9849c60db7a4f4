public import KubernetesClient

/// Why the runtime did not write.
public enum WriteError: Error, Sendable, CustomStringConvertible {
    /// The server does not have the type, or does not let us read it; `status` says which.
    case unavailable(ResourceType, InformerStatus)
    /// The object has no name, or no uid where it must be one that exists.
    case incomplete(String)

    public var description: String {
        switch self {
        case .unavailable(let type, let status): "\(type.kind) (\(type.apiVersion)): \(status)"
        case .incomplete(let what): what
        }
    }
}

/// What an apply came to.
public enum ApplyOutcome: Sendable, Equatable {
    /// Already so; nothing was sent.
    case unchanged
    case applied(KubernetesObject)
    /// Somebody keeps undoing it: not applied before `until`. A sign for `Stalled`. `isNew` marks the first time.
    case stalled(until: Instant, isNew: Bool)
}
