internal import HTTPTypes

/// Another user whom a request names in `Impersonate-User`, `Impersonate-Group` and `Impersonate-Uid`.
struct Impersonation: Sendable {
    let user: UserInfo
    /// What the request's own user must be allowed to do.
    let needed: [AccessRequest]

    /// Nil when the request names nobody.
    /// - Throws: when it names what somebody is and not who: it is not to be answered as its sender's.
    init?(_ headers: HTTPFields) throws(StatusError) {
        func values(_ name: String) -> [String] { HTTPField.Name(name).map { headers[values: $0] } ?? [] }
        let groups = values("Impersonate-Group")
        let uid = values("Impersonate-Uid").first ?? ""
        guard let name = values("Impersonate-User").first else {
            guard groups.isEmpty, uid.isEmpty else {
                throw .internalError("requested groups or a uid without impersonating a user")
            }
            return nil
        }
        var needed = groups.map { AccessRequest(verb: "impersonate", resource: "groups", name: $0) }
        if !uid.isEmpty {
            needed.append(
                AccessRequest(verb: "impersonate", group: "authentication.k8s.io", resource: "uids", name: uid))
        }
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if parts.count == 4, name.hasPrefix("system:serviceaccount:") {
            needed.append(
                AccessRequest(
                    verb: "impersonate", resource: "serviceaccounts", namespace: parts[2], name: parts[3]))
            var account = UserInfo.serviceAccount(namespace: parts[2], name: parts[3], uid: uid)
            if !groups.isEmpty { account.groups = groups + ["system:authenticated"] }
            user = account
        } else {
            needed.append(AccessRequest(verb: "impersonate", resource: "users", name: name))
            let everybody = name == UserInfo.anonymous.name ? UserInfo.anonymous.groups : ["system:authenticated"]
            let all = groups + everybody.filter { !groups.contains($0) }
            user = UserInfo(name: name, uid: uid, groups: all)
        }
        self.needed = needed
    }
}
