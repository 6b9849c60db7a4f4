internal import StructuredData
internal import TodoModel

/// The tasks that the answer to a write of many holds whole: about as many as a page of a list. A write names a task in a
/// few bytes, and its description can be long; what the others are then stands in the changes.
struct WholeTasks {
    /// The answer is full when so much of it is tasks.
    private static let enoughBytes = 1 << 20
    private var bytes = 0

    /// Nil when there is no room any more.
    mutating func json(_ task: TodoTask) -> JSON? {
        guard bytes < Self.enoughBytes else { return nil }
        let json = task.json
        bytes += json.encoded().count
        return json
    }
}
