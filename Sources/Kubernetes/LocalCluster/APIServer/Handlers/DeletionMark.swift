internal import APIServerKinds
internal import KubernetesClient
internal import StructuredData

/// Turns an object into one that is being deleted, as the first DELETE does, or changes nothing when it already is.
enum DeletionMark {
    static func marked(_ object: JSON, _ resource: ServedResource, _ options: DeleteOptions, now: KubernetesTime)
        -> JSON
    {
        if resource.type.group.isEmpty {
            switch resource.type.plural {
            case "namespaces": return namespace(object, options, now: now)
            case "pods": return pod(object, options, now: now)
            default: break
            }
        }
        var result = object
        if resource.type.group == "apiextensions.k8s.io" { markDefinition(&result, now: now) }
        setFinalizers(options.finalizers(of: result), of: &result)
        mark(&result, gracePeriod: 0, now: now)
        return result
    }

    private static func setFinalizers(_ finalizers: [String], of object: inout JSON) {
        guard object.at("metadata", "finalizers")?.array?.compactMap(\.string) ?? [] != finalizers else { return }
        object.set(finalizers.isEmpty ? nil : .array(finalizers.map { .string($0) }), at: "metadata", "finalizers")
    }

    private static func mark(_ object: inout JSON, gracePeriod: Int, now: KubernetesTime) {
        guard object.at("metadata", "deletionTimestamp")?.string == nil else {
            // A grace period that was running ends here.
            if gracePeriod == 0, object.at("metadata", "deletionGracePeriodSeconds")?.int ?? 0 > 0 {
                object.set(0, at: "metadata", "deletionGracePeriodSeconds")
            }
            return
        }
        object.set(.string(now.advanced(by: .seconds(gracePeriod)).text), at: "metadata", "deletionTimestamp")
        object.set(JSON(gracePeriod), at: "metadata", "deletionGracePeriodSeconds")
        if let generation = object.at("metadata", "generation")?.int, generation > 0 {
            object.set(JSON(generation + 1), at: "metadata", "generation")
        }
    }

    private static func namespace(_ object: JSON, _ options: DeleteOptions, now: KubernetesTime) -> JSON {
        var result = object
        setFinalizers(options.finalizers(of: result), of: &result)
        guard result.at("metadata", "deletionTimestamp")?.string == nil else { return result }
        result.set(.string(now.text), at: "metadata", "deletionTimestamp")
        result.set("Terminating", at: "status", "phase")
        return result
    }

    /// A pod that a node may be running gets its grace period; the node removes it with a delete of grace 0.
    private static func pod(_ object: JSON, _ options: DeleteOptions, now: KubernetesTime) -> JSON {
        var result = object
        setFinalizers(options.finalizers(of: result), of: &result)
        let isRunning =
            !(object.at("spec", "nodeName")?.string ?? "").isEmpty
            && !["Failed", "Succeeded"].contains(object.at("status", "phase")?.string ?? "")
        let wanted = options.gracePeriodSeconds ?? object.at("spec", "terminationGracePeriodSeconds")?.int ?? 30
        let period = isRunning ? wanted : 0
        guard let marked = object.at("metadata", "deletionTimestamp")?.string.flatMap({ KubernetesTime($0) }) else {
            mark(&result, gracePeriod: period, now: now)
            return result
        }
        // Once deletion has begun its grace period can only be shortened.
        let running = object.at("metadata", "deletionGracePeriodSeconds")?.int ?? 0
        guard let asked = options.gracePeriodSeconds, asked < running else { return result }
        result.set(
            .string(marked.advanced(by: .seconds(asked - running)).text), at: "metadata", "deletionTimestamp")
        result.set(JSON(asked), at: "metadata", "deletionGracePeriodSeconds")
        return result
    }

    /// A definition's instances are deleted before it goes.
    private static func markDefinition(_ object: inout JSON, now: KubernetesTime) {
        guard object.at("metadata", "deletionTimestamp")?.string == nil else { return }
        var finalizers = object.at("metadata", "finalizers")?.array ?? []
        if !finalizers.contains(.string(instanceFinalizer)) { finalizers.append(.string(instanceFinalizer)) }
        object.set(.array(finalizers), at: "metadata", "finalizers")
        let condition: JSON = [
            "type": "Terminating", "status": "True", "lastTransitionTime": .string(now.text),
            "reason": "InstanceDeletionPending",
            "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        ]
        let others = object.at("status", "conditions")?.array?.filter { $0["type"] != "Terminating" } ?? []
        object.set(.array(others + [condition]), at: "status", "conditions")
    }

    static let instanceFinalizer = "customresourcecleanup.apiextensions.k8s.io"
}
