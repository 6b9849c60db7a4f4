internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import StructuredData

extension Request {
    static let largestBody = 1 << 20
    /// A task is flat; what is nested deeper is refused before it costs anything.
    private static let limits = JSONLimits(maxDepth: 32, maxBytes: largestBody)

    /// The body as JSON. Throws 415 when it says to be none of `types`, 413 when it is too large, 400 when it is no JSON.
    func json(_ types: String...) async throws -> JSON {
        let type = headers[.contentType]?.prefix { $0 != ";" }.trimmingBlanks().lowercased() ?? ""
        guard types.contains(type) else {
            throw Problem(
                .unsupportedMediaType, "send the body as Content-Type: \(types[0])",
                headers: method == .patch ? [.acceptPatch: types.joined(separator: ", ")] : [:])
        }
        let bytes = try await bytes()
        do {
            return try JSON(parsing: bytes, limits: Self.limits)
        } catch {
            throw Problem(.badRequest, "the body is not JSON: \(error)")
        }
    }

    private func bytes() async throws -> [UInt8] {
        let tooLarge = Problem(.contentTooLarge, "the body is larger than \(Self.largestBody) bytes")
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > Self.largestBody { throw tooLarge }
        var bytes: [UInt8] = []
        do {
            for try await part in body {
                guard bytes.count + part.readableBytes <= Self.largestBody else { throw tooLarge }
                bytes.append(contentsOf: part.readableBytesView)
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw Problem(.badRequest, "the body ended early")
        }
        return bytes
    }
}

extension HTTPField.Name {
    /// RFC 5789, section 3.1.
    static let acceptPatch = HTTPField.Name("Accept-Patch") ?? .accept
}
