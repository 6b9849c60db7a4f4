internal import HTTPTransport
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// One request over the network: its body is collected within the limit, its answer written, a stream for as long as
/// the client listens.
struct HTTPExchange: Sendable {
    let server: APIServer
    let bodyLimit: Int

    private struct ConnectionDropped: Error {}

    func answer(
        _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel,
        credentials: APIRequest.Credentials
    ) async throws {
        var apiRequest = APIRequest(
            method: request.method, target: request.head.path ?? "/", headers: request.headers,
            credentials: request.headers[.authorization] == nil ? credentials : .headers)
        do {
            if request.headers[.contentLength].flatMap({ Int($0) }) ?? 0 > bodyLimit {
                throw NIOTooManyBytesError(maxBytes: bodyLimit)
            }
            if request.method != .get, request.method != .head {
                if request.headers[.expect]?.lowercased() == "100-continue" {
                    try await writer.writeInformationalHead(HTTPResponse(status: .continue))
                }
                let buffer = try await request.body.collect(upTo: bodyLimit)
                apiRequest.body = Array(buffer.readableBytesView)
            }
        } catch is NIOTooManyBytesError {
            let response = APIResponse.failure(.tooLarge(limit: bodyLimit))
            try await write(response, writer, headers: [.connection: "close"])
            throw ConnectionDropped()
        }
        var response = await server.respond(to: apiRequest)
        if request.headers[.connection] == "close" { response.headers[.connection] = "close" }
        guard !response.dropsConnection else {
            channel.close(promise: nil)
            throw ConnectionDropped()
        }
        if request.method == .head { return try await write(response, writer, headers: [:], isHead: true) }
        var head = HTTPResponse(status: response.status, headerFields: response.headers)
        switch response.body {
        case .bytes: try await write(response, writer, headers: [:])
        case .chunks(let chunks): try await Self.send(chunks, try await writer.writeHead(head))
        case .stream(let stream):
            // To notice that the client leaves, the connection is read from, and cannot be used for a request after.
            head.headerFields[.connection] = "close"
            let body: any ResponseBodyWriter = try await writer.writeHead(head)
            _ = try await request.body.consumeWithCancellationOnInboundClose { _ in try await Self.send(stream, body) }
        }
    }

    private static func send(
        _ chunks: some AsyncSequence<[UInt8], HTTPTransportError>, _ writer: consuming any ResponseBodyWriter
    ) async throws {
        for try await chunk in chunks { try await writer.write(ByteBuffer(bytes: chunk)) }
        try await writer.finish(nil)
    }

    private func write(
        _ response: APIResponse, _ writer: consuming ResponseWriter, headers: HTTPFields, isHead: Bool = false
    ) async throws {
        let bytes: [UInt8] = if case .bytes(let bytes) = response.body { bytes } else { [] }
        var fields = response.headers
        for field in headers { fields[field.name] = field.value }
        fields[.contentLength] = String(bytes.count)
        let head = HTTPResponse(status: response.status, headerFields: fields)
        if isHead || bytes.isEmpty {
            try await writer.writeResponse(head)
        } else {
            try await writer.write(response: head, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
        }
    }
}
