/// On one machine there is no DNS: the cluster's agent says in `TODO_HOSTS` which addresses the names of Services stand
/// for (`todo-api.team.svc=127.96.0.7 …`).
enum LocalHosts {
    /// The environment with the hosts of all `TODO_…_URL` replaced by their addresses, where there are any.
    static func resolve(_ environment: [String: String]) -> [String: String] {
        let pairs = (environment["TODO_HOSTS"] ?? "").split(separator: " ").map { $0.split(separator: "=") }
        let hosts = pairs.reduce(into: [Substring: Substring]()) { hosts, pair in
            if pair.count == 2 { hosts[pair[0]] = pair[1] }
        }
        guard !hosts.isEmpty else { return environment }
        return Dictionary(
            uniqueKeysWithValues: environment.map { name, value in
                let isAddress = name.hasPrefix("TODO_") && name.hasSuffix("_URL")
                return (name, isAddress ? resolve(value, hosts) : value)
            })
    }

    private static func resolve(_ url: String, _ hosts: [Substring: Substring]) -> String {
        guard let match = url.wholeMatch(of: /(http:\/\/)([^:\/]+)(.*)/), let address = hosts[match.2] else {
            return url
        }
        return "\(match.1)\(address)\(match.3)"
    }
}
