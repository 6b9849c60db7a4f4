internal import Crypto
public import HTTPTypes

/// The token with which the sidecar shows that a call is its own (`APP_API_TOKEN`, header `dapr-api-token`).
public struct AppToken: Sendable {
    private let digest: SHA256Digest

    public init(_ token: String) { digest = Self.digest(token) }

    /// From `APP_API_TOKEN`; nil when that is not set or empty: then calls are not checked.
    public init?(environment: [String: String]) {
        guard let token = environment["APP_API_TOKEN"], !token.isEmpty else { return nil }
        self.init(token)
    }

    /// Takes the same time whatever the request shows: digests are compared, byte by byte to the end.
    public func admits(_ headers: HTTPFields) -> Bool {
        headers[DaprClient.tokenHeader].map { Self.digest($0) == digest } ?? false
    }

    private static func digest(_ token: String) -> SHA256Digest { SHA256.hash(data: Array(token.utf8)) }
}
