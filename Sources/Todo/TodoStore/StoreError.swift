public import TodoModel

/// Why the store did not do what was asked; nothing was written.
public enum StoreError: Error, Sendable, Hashable {
    /// There is no such thing, or the person does not see it.
    case notFound
    /// The person sees it but may not change it.
    case forbidden
    /// It is at another version than the caller says.
    case versionMismatch(current: Int)
    case invalid(ValidationError)
    case emailTaken
    /// The key was used for another request.
    case idempotencyKeyReused
    /// The operation is unknown, too old, or was undone already.
    case undoExpired
    /// A task was changed since.
    case undoConflict
    /// Where a task was before, or what came below it since, was deleted or moved.
    case undoDisplaced
    /// The cursor was made of changes that are not there: the database was restored from a backup since.
    case cursorAhead

    static func invalid(_ field: String, _ message: String) -> StoreError {
        .invalid(ValidationError([.init(field, message)]))
    }

    /// What a statement answers in its column `problem`.
    init(problem: String, version: Int) {
        self =
            switch problem {
            case "forbidden": .forbidden
            case "version": .versionMismatch(current: version)
            case "project": .invalid("project", "there is no such project")
            case "foreign": .invalid("project", "is another person's than the task's: make the task anew there")
            case "parent": .invalid("parent", "there is no such task in the project")
            case "cycle": .invalid("parent", "is the task itself or a part of it")
            case "bin": .invalid("", "the task is in the bin: restore it first")
            case "inbox": .invalid("", "the inbox can be neither shared nor archived nor deleted")
            case "neighbour": .invalid("after", "there is no such task in that place")
            case "email": .invalid("email", "nobody with this address has an account")
            case "self": .invalid("email", "is the owner's own")
            case "members": .invalid("email", "is one too many: a project has at most \(Project.memberLimit) members")
            case "conflict": .undoConflict
            case "displaced": .undoDisplaced
            case "past": .invalid("at", "must lie in the future")
            case "due": .invalid("before", "the task has no due date")
            case "start": .invalid("before", "the task has no start date")
            case "reminders": .invalid("", "the task has \(Reminder.Limits.perTask) reminders of yours already")
            case "unfired": .invalid("", "the reminder has not fired yet: change or delete it instead")
            case "digest": .invalid("", "a digest cannot be put off")
            default: .notFound
            }
    }
}
