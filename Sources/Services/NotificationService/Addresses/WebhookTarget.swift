internal import HTTPTransport

/// Where a webhook goes, checked.
struct WebhookTarget: Sendable {
    static let longest = 2000

    /// Why a URL will not do; for who gave it.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
        /// Another time it might.
        var isPassing = false
    }

    let url: String
    private let parsed: RequestURL

    /// Throws when it is no URL that a webhook can have, whatever its host stands for.
    init(_ url: String) throws(Refusal) {
        guard url.utf8.count <= Self.longest else {
            throw Refusal(description: "has more than \(Self.longest) characters")
        }
        do { parsed = try RequestURL(url) } catch { throw Refusal(description: "must be an https URL: \(error)") }
        let host = parsed.host.hasPrefix("[") ? parsed.host.dropFirst().dropLast() : parsed.host[...]
        let isName = host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._:".utf8.contains(byte)
            }
        }
        guard isName else {
            throw Refusal(description: "must have a host of letters, digits, dots and hyphens, not \"\(host)\"")
        }
        self.url = url
        self.host = String(host)
    }

    private let host: String

    /// The addresses to send it to, in order, as the host name stands now. Throws when there is none that may be.
    func addresses(_ resolver: any AddressResolver, _ policy: AddressPolicy) async throws -> [IPAddress] {
        let found: [IPAddress]
        do { found = try await resolver.addresses(of: host) } catch let error as ResolutionError {
            throw Refusal(description: error.description, isPassing: true)
        }
        guard !found.isEmpty else {
            throw Refusal(description: "names the host \(host), which there is not", isPassing: true)
        }
        let permitted = found.filter { policy.permits($0) }
        guard !permitted.isEmpty else {
            // Which ones it has is nothing to whoever cannot ask for the name themselves.
            throw Refusal(
                description: "leads to no public address: use a host that has one, or have the operator allow its "
                    + "network (TODO_WEBHOOK_ALLOW)")
        }
        if parsed.isHTTPS { return permitted }
        let named = permitted.filter { policy.isNamed($0) }
        guard !named.isEmpty else { throw Refusal(description: "must begin with https://") }
        return named
    }
}
