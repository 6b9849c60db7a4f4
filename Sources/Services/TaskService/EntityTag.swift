internal import HTTPTypes
internal import TodoModel

extension TodoTask {
    /// The task's version as a strong entity tag (RFC 9110, section 8.8.3).
    var entityTag: String { "\"\(version)\"" }
}

/// The value of `If-Match` or `If-None-Match` (RFC 9110, section 13.1).
enum EntityTagCondition: Equatable {
    case any
    case tags([Substring])

    init?(_ header: String?) {
        guard let header else { return nil }
        let tags = header.split(separator: ",").map { $0.trimmingBlanks() }
        self = tags == ["*"] ? .any : .tags(tags)
    }

    /// Strong comparison: what a weak tag stands for may differ in its bytes.
    func matches(_ tag: String) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { $0 == tag }
        }
    }

    /// Weak comparison.
    func matchesWeakly(_ tag: String) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { ($0.hasPrefix("W/") ? $0.dropFirst(2) : $0) == tag }
        }
    }
}

extension HTTPFields {
    /// Throws 412 when `If-Match` names another version of `task`.
    func requireMatch(_ task: TodoTask) throws {
        guard let condition = EntityTagCondition(self[.ifMatch]), !condition.matches(task.entityTag) else { return }
        throw Problem(
            .preconditionFailed, "the task was changed meanwhile: it is at version \(task.version); read it again",
            headers: [.eTag: task.entityTag])
    }
}

extension Substring {
    func trimmingBlanks() -> Substring {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return self[first...last]
    }
}
