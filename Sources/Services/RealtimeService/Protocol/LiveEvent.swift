internal import FoundationEssentials
internal import NIOCore
internal import TodoModel

/// An event on its way to connections: what they need to know of it, and the frame that all of them are sent.
struct LiveEvent: Sendable {
    /// The owner whose stream it is in.
    let stream: UUID
    let seq: Int
    /// This process has seen every number of the stream from here to `seq`; at most `seq`.
    let unbrokenFrom: Int
    /// It lets people see what was there before: a project was shared.
    let opensProject: Bool
    let frame: ByteBuffer

    init(_ event: TodoEvent, frame: ByteBuffer, unbrokenFrom: Int) {
        stream = event.user
        seq = event.seq
        self.unbrokenFrom = unbrokenFrom
        opensProject = event.kind == .projectShared
        self.frame = frame
    }
}
