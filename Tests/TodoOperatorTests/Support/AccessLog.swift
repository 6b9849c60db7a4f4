import Concurrency
import HTTPTransport
import HTTPTypes
import StructuredData

@testable import APIServer

/// What a rule of a role allows: one verb on one resource.
struct Access: Hashable, Comparable, CustomStringConvertible {
    let verb: String
    let group: String
    /// With its subresource.
    let resource: String

    var description: String { "\(verb) \(resource)\(group.isEmpty ? "" : ".\(group)")" }
    static func < (one: Access, other: Access) -> Bool { one.description < other.description }
}

/// What a client asked for, as RBAC sees it: kept of every request that was answered.
final class AccessLog: Sendable {
    private struct State {
        var used: Set<Access> = []
        var refused: Set<Access> = []
    }

    private let state = Lock(State())

    var used: Set<Access> { state.withLock { $0.used } }
    var refused: Set<Access> { state.withLock { $0.refused } }

    func note(_ request: ClientRequest, _ response: ClientResponse) {
        let accesses = Self.accesses(of: request, created: response.status.code == 201)
        state.withLock {
            if response.status.code == 403 { $0.refused.formUnion(accesses) } else { $0.used.formUnion(accesses) }
        }
    }

    private static func accesses(of request: ClientRequest, created: Bool) -> [Access] {
        let parts = request.url.split(separator: "?", maxSplits: 1)
        let address = String(parts[0]).replacing("https://in-process", with: "")
        guard let path = ResourcePath(String(address)) else { return [] }
        let isWatch = parts.count > 1 && parts[1].contains("watch=")
        let verbs: [String] =
            switch request.method {
            case .get: [isWatch ? "watch" : path.name == nil ? "list" : "get"]
            case .post: ["create"]
            case .put: ["update"]
            // Server-side apply of what is not there asks for `create` as well.
            case .patch: created ? ["patch", "create"] : ["patch"]
            case .delete: ["delete"]
            default: []
            }
        let resource = [path.plural, path.subresource].compactMap(\.self).joined(separator: "/")
        return verbs.map { Access(verb: $0, group: path.group, resource: resource) } + blockedOwners(in: request)
    }

    /// What the admission plug-in OwnerReferencesPermissionEnforcement, which some clusters have on, would ask for.
    private static func blockedOwners(in request: ClientRequest) -> [Access] {
        guard case .bytes(let bytes) = request.body,
            let owners = try? JSON(parsing: bytes).at("metadata", "ownerReferences")
        else { return [] }
        return (owners.array ?? []).filter { $0["blockOwnerDeletion"]?.bool == true }.map { owner in
            let group = owner["apiVersion"]?.string?.split(separator: "/").first.map(String.init) ?? ""
            let plural = "\(owner["kind"]?.string?.lowercased() ?? "")s"
            return Access(verb: "update", group: group, resource: "\(plural)/finalizers")
        }
    }
}
