internal import HTTPTypes
public import Hummingbird
internal import NIOCore
public import StructuredData

extension Request {
    public static let largestBody = 1 << 20
    /// Nothing is nested deeper; what is, is refused before it costs anything.
    private static let limits = JSONLimits(maxDepth: 32, maxBytes: largestBody)

    /// The body. Throws 415 when it says to be none of `types`, 413 when it is too large, 408 when it takes too long, 400
    /// when it ends early.
    public func body(of types: [String]) async throws -> [UInt8] {
        let type = headers[.contentType]?.prefix { $0 != ";" }.trimmingBlanks().lowercased() ?? ""
        guard types.contains(type) else {
            throw Problem(
                .unsupportedMediaType, "send the body as Content-Type: \(types[0])",
                headers: acceptPatch(types))
        }
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(
                .unsupportedMediaType, "send the body without Content-Encoding", headers: [.acceptEncoding: "identity"])
        }
        return try await bytes()
    }

    /// RFC 5789, section 3.1.
    private func acceptPatch(_ types: [String]) -> HTTPFields {
        guard method == .patch, let name = HTTPField.Name("Accept-Patch") else { return [:] }
        return [name: types.joined(separator: ", ")]
    }

    /// Throws 400 with the place of the mistake.
    public static func json(_ bytes: [UInt8]) throws -> JSON {
        do {
            return try JSON(parsing: bytes, limits: limits)
        } catch {
            throw Problem(.badRequest, "the body is not JSON: \(error)")
        }
    }

    /// The body as it is. Throws 413 when it is too large, 408 when it takes too long, 400 when it ends early.
    public func bytes() async throws -> [UInt8] {
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
        } catch let timeout as UploadTimeout {
            throw timeout
        } catch {
            throw Problem(.badRequest, "the body ended early")
        }
        return bytes
    }
}
