public import HTTPTypes
public import Hummingbird

extension Request {
    /// A browser sends the cookie with what other sites have it send, too; what it says of the request's origin tells
    /// them apart. Reading is harmless: other sites do not see the answer.
    public func requireSameOrigin() throws {
        guard ![.get, .head].contains(method) else { return }
        if let site = Self.fetchSite.flatMap({ headers[$0] }) {
            guard site == "same-origin" else { throw Self.foreign }
        } else {
            guard let origin = headers[.origin], let start = origin.firstRange(of: "://"),
                let host = Self.forwardedHost.flatMap({ headers[$0] }) ?? head.authority,
                origin[start.upperBound...] == host
            else { throw Self.foreign }
        }
    }

    /// Which host a request was for before it was passed on.
    public static let forwardedHost = HTTPField.Name("X-Forwarded-Host")
    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")

    private static var foreign: Problem {
        Problem(.forbidden, "a change by cookie must come from the page of this service, or send a bearer token")
    }
}
