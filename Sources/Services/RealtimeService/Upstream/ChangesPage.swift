internal import NIOCore
internal import StructuredData

/// A page of `GET /v1/changes`, ready to be sent on.
struct ChangesPage: Sendable {
    /// A `change` for each item, one after the other.
    let frames: ByteBuffer
    /// How many.
    let count: Int
    let cursor: StreamCursor
    let hasMore: Bool

    init(frames: ByteBuffer = ByteBuffer(), count: Int = 0, cursor: StreamCursor, hasMore: Bool = false) {
        self.frames = frames
        self.count = count
        self.cursor = cursor
        self.hasMore = hasMore
    }

    /// Nil when the API did not answer with a page.
    init?(_ json: JSON) {
        guard let items = json["items"]?.array, let cursor = json["cursor"]?.string.flatMap({ StreamCursor($0) })
        else { return nil }
        var frames = ByteBuffer()
        for item in items { frames.writeImmutableBuffer(ServerFrame.change(item)) }
        self.init(frames: frames, count: items.count, cursor: cursor, hasMore: json["more"]?.bool ?? false)
    }
}
