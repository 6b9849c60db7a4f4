public import Hummingbird
public import Logging
internal import NIOCore

extension ResponseBody {
    /// A body too large to be held: `stream` writes it, some bytes at a time, as fast as the client takes them.
    public static func stream(
        _ logger: Logger,
        _ stream: @escaping @Sendable (_ write: ([UInt8]) async throws -> Void) async throws -> Void
    ) -> ResponseBody {
        ResponseBody { writer in
            do {
                try await stream { try await writer.write(ByteBuffer(bytes: $0)) }
            } catch {
                // The status is out: that the body breaks off is all that can still be said.
                logger.error("answer broke off", metadata: ["error": "\(error)"])
                throw error
            }
            try await writer.finish(nil)
        }
    }
}
