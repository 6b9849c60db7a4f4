internal import Glibc
internal import HTTPTypes
internal import ServiceHTTP

extension HTTPFields {
    /// From which network a request came, as the last proxy says: an IPv4 address, or the first half of an IPv6 one, whose
    /// other half every host chooses by itself. Empty where there is no proxy, or it says something else.
    ///
    /// What stands further to the left the client may have made up, and all of it where no proxy is.
    var clientNetwork: String {
        let said = self[values: .forwardedFor].last?.split(separator: ",").last?.trimmingBlanks() ?? ""
        // IPv4, as those write it that take both alike.
        let address = String(said.hasPrefix("::ffff:") ? said.dropFirst(7) : said)
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &bytes) == 1 { return address }
        return inet_pton(AF_INET6, address, &bytes) == 1 ? "\(bytes.prefix(8))" : ""
    }
}
