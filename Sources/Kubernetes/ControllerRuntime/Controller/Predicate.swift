internal import KubernetesClient
internal import StructuredData

/// How soon a change brings a pass.
public enum Urgency: Sendable, Comparable {
    /// Within `Controller.Options.settling`, so that one pass is for all that changes meanwhile.
    case soon
    case atOnce
}

/// Whether a change is worth a pass.
public struct Predicate: Sendable {
    public let admits: @Sendable (StoreChange) -> Bool

    public init(_ admits: @escaping @Sendable (StoreChange) -> Bool) { self.admits = admits }

    /// Every change.
    public static let all = Predicate { _ in true }

    /// No change.
    public static let none = Predicate { _ in false }

    /// All but updates of status alone: a new generation, labels, annotations, finalizers, owners, or the beginning of
    /// deletion. What a controller wants of the type whose status it writes itself.
    public static let ignoringStatus = Predicate { change in
        guard let old = change.old, let new = change.new else { return true }
        if old.uid != new.uid || old.isBeingDeleted != new.isBeingDeleted { return true }
        // Types without generation: only the content tells.
        if old.generation != new.generation { return true }
        let (before, after) = (old.object, new.object)
        return metadata(before) != metadata(after) || (new.generation == 0 && content(before) != content(after))
    }

    /// Updates of `spec` or, for types without generation, of anything but status and metadata; and all adds and
    /// deletes.
    public static let generationChanged = Predicate { change in
        guard let old = change.old, let new = change.new, old.uid == new.uid else { return true }
        if old.generation != new.generation || old.isBeingDeleted != new.isBeingDeleted { return true }
        return new.generation == 0 && content(old.object) != content(new.object)
    }

    /// All but what others do to fields of their own, as a controller that writes status: adds, deletes, the beginning of
    /// deletion, and changes of what this field manager applied. What a controller wants of its children.
    public static let ownedFieldsChanged = Predicate { change in
        guard let old = change.old, let new = change.new, old.uid == new.uid else { return true }
        return old.ownedDigest != new.ownedDigest || old.isBeingDeleted != new.isBeingDeleted
    }

    public static let labelsChanged = Predicate { change in
        guard let old = change.old, let new = change.new else { return true }
        return old.object.labels != new.object.labels
    }

    public static let annotationsChanged = Predicate { change in
        guard let old = change.old, let new = change.new else { return true }
        return old.object.annotations != new.object.annotations
    }

    public static func || (left: Predicate, right: Predicate) -> Predicate {
        Predicate { left.admits($0) || right.admits($0) }
    }

    public static func && (left: Predicate, right: Predicate) -> Predicate {
        Predicate { left.admits($0) && right.admits($0) }
    }

    private static func metadata(_ object: KubernetesObject) -> [JSON?] {
        ["labels", "annotations", "finalizers", "ownerReferences"].map { object.metadata[$0] }
    }

    private static func content(_ object: KubernetesObject) -> JSON {
        var content = object.json
        content["metadata"] = nil
        content["status"] = nil
        return content
    }
}
