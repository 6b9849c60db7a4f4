internal import Concurrency
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import ServiceRunning
internal import HTTPServing

/// Serves one sidecar over HTTP/1.1.
struct SidecarListener: Sendable {
    enum Door: Sendable {
        /// The app's: a loopback port of its own.
        case app
        /// Everybody's: health and metadata.
        case open(address: String, port: Int)
    }

    let sidecar: Sidecar
    let door: Door

    /// Listens until cancelled.
    /// - Parameter onRunning: called with the port once connections are taken.
    func run(onRunning: @escaping @Sendable (Int) -> Void) async throws {
        // It logs each connection that a stop cuts off as an error; what really fails it throws.
        var quiet = sidecar.logger
        quiet.logLevel = .critical
        let server = try HTTPServerBuilder.safeHTTP1().buildServer(
            configuration: ServerConfiguration(address: address),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet,
            responder: { request, writer, _ in try await answer(request, writer) },
            onServerRunning: { channel in onRunning(channel.localAddress?.port ?? 0) })
        try await runUntilCancelled(server, logger: quiet)
    }

    private var address: BindAddress {
        switch door {
        case .app: .hostname("127.0.0.1", port: 0)
        case .open(let address, let port): .hostname(address, port: port)
        }
    }

    private struct TooLarge: Error {}

    private func answer(_ request: Request, _ writer: consuming ResponseWriter) async throws {
        var own = SidecarRequest(
            method: request.method, target: request.head.path ?? "/", headers: request.headers)
        let limit = sidecar.pod.maxBodyBytes
        do {
            if request.headers[.contentLength].flatMap({ Int($0) }) ?? 0 > limit { throw TooLarge() }
            if request.method != .get {
                own.body = Array((try await request.body.collect(upTo: limit)).readableBytesView)
            }
        } catch is TooLarge {
            return try await refuse(limit, writer)
        } catch is NIOTooManyBytesError {
            return try await refuse(limit, writer)
        }
        switch door {
        case .app: try await write(await sidecar.answer(own), writer)
        case .open: try await write(sidecar.answerOpenly(own), writer)
        }
    }

    private func refuse(_ limit: Int, _ writer: consuming ResponseWriter) async throws {
        var answer = SidecarAnswer.error(413, "ERR_BODY_TOO_LARGE", "the body is larger than \(limit) bytes")
        answer.headers[.connection] = "close"
        try await write(answer, writer)
        // The rest of the body is not read: the connection cannot go on.
        throw TooLarge()
    }

    private func write(_ answer: SidecarAnswer, _ writer: consuming ResponseWriter) async throws {
        var head = HTTPResponse(status: .init(code: answer.status), headerFields: answer.headers)
        if answer.status != 204 { head.headerFields[.contentLength] = String(answer.body.count) }
        if answer.body.isEmpty {
            try await writer.writeResponse(head)
        } else {
            try await writer.write(response: head, body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
        }
    }
}
