internal import APIServerKinds
internal import Concurrency
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// Objects that were found to fit into their namespace's quotas and are not stored yet.
final class QuotaReservations: Sendable {
    /// One object under way: its place, and itself.
    struct Reservation: Sendable {
        let key: String
        let resource: ServedResource
        let object: JSON
    }

    private let pending = Lock<[String: [Reservation]]>([:])

    /// Runs `check` with what is under way in `namespace`; adds `new` when it does not throw. One at a time.
    func reserve(
        _ new: Reservation, in namespace: String, check: ([Reservation]) throws(StatusError) -> Void
    ) throws(StatusError) {
        try pending.withLock { pending throws(StatusError) in
            try check(pending[namespace] ?? [])
            pending[namespace, default: []].append(new)
        }
    }

    func release(_ key: String, _ resource: ServedResource, in namespace: String) {
        pending.withLock { pending in
            let others = pending[namespace]?.filter { $0.key != key || $0.resource.table != resource.table } ?? []
            pending[namespace] = others.isEmpty ? nil : others
        }
    }
}

/// Resource quotas: what exceeds one is refused, and its status says what is used, as of the last write.
extension APIServer {
    private static let quotas = TableID(group: "", plural: "resourcequotas")

    /// The quotas of a namespace; none in most.
    private func quotas(in namespace: String) -> [JSON] {
        let prefix = "\(namespace)/"
        var iterator = store.objects(in: Self.quotas).objects.iterator(from: prefix)
        var result: [JSON] = []
        while let stored = iterator.next(), stored.key.hasPrefix(prefix) {
            if let json = try? JSON(parsing: stored.bytes) { result.append(json) }
        }
        return result
    }

    /// Stores a new object by `commit` if the quotas of its namespace have room for it.
    func withinQuota<Result: Sendable>(
        _ object: JSON, key: String, _ request: ResourceRequest,
        commit: () async throws(StatusError) -> Result
    ) async throws(StatusError) -> Result {
        let resource = request.resource
        guard resource.type.namespaced, let namespace = request.namespace, resource.isStored else {
            return try await commit()
        }
        let quotas = quotas(in: namespace).map(ResourceQuota.init)
        guard !quotas.isEmpty else { return try await commit() }
        let reservation = QuotaReservations.Reservation(key: key, resource: resource, object: object)
        try reservations.reserve(reservation, in: namespace) { pending throws(StatusError) in
            for quota in quotas {
                try check(quota, object, old: nil, request, pending: pending)
            }
        }
        defer { reservations.release(key, resource, in: namespace) }
        return try await commit()
    }

    /// Refuses a change by which an object takes more than is left.
    func checkQuota(_ object: JSON, old: JSON, _ request: ResourceRequest) throws(StatusError) {
        guard ObjectUsage.isCheckedOnUpdate(request.resource), request.subresource == nil,
            let namespace = request.namespace
        else { return }
        for quota in quotas(in: namespace) {
            try check(ResourceQuota(quota), object, old: old, request, pending: [])
        }
    }

    private func check(
        _ quota: ResourceQuota, _ object: JSON, old: JSON?, _ request: ResourceRequest,
        pending: [QuotaReservations.Reservation]
    ) throws(StatusError) {
        let resource = request.resource
        guard quota.covers(object, resource) else { return }
        let name = object.at("metadata", "name")?.string
        if resource.table == TableID(group: "", plural: "pods"), let missing = quota.missingAmounts(of: object) {
            throw .forbidden(resource, name, missing)
        }
        let before = old.map { quota.usage(of: $0, resource) } ?? ResourceUsage()
        let requested = quota.usage(of: object, resource).growth(over: before)
        guard !requested.isEmpty else { return }
        var used = used(of: quota, namespace: request.namespace ?? "")
        for reservation in pending where store.object(reservation.key, in: reservation.resource.table) == nil {
            used.add(quota.usage(of: reservation.object, reservation.resource))
        }
        if let refusal = quota.refusal(requested: requested, used: used) { throw .forbidden(resource, name, refusal) }
    }

    private func used(of quota: ResourceQuota, namespace: String) -> ResourceUsage {
        var used = ResourceUsage()
        let resources = Dictionary(
            registry.resources.map { (TableID(group: $0.type.group, plural: $0.type.plural), $0) },
            uniquingKeysWith: { first, _ in first })
        let tables = Set(
            quota.hard.amounts.keys.map { name in
                let counted = ObjectUsage.counted(by: name)
                return TableID(group: counted.group, plural: counted.plural)
            })
        let prefix = "\(namespace)/"
        for table in tables {
            guard let resource = resources[table] else { continue }
            var iterator = store.objects(in: resource.table).objects.iterator(from: prefix)
            while let stored = iterator.next(), stored.key.hasPrefix(prefix) {
                guard let object = try? resource.object(from: stored) else { continue }
                used.add(quota.usage(of: object, resource))
            }
        }
        return used
    }

    /// Brings the status of a namespace's quotas up to date after a write of `resource` there.
    func quotasChanged(in namespace: String?, by resource: ServedResource, subresource: String? = nil) async {
        guard let namespace, resource.type.namespaced, resource.table != Self.quotas || subresource == nil else {
            return
        }
        for quota in quotas(in: namespace) {
            let name = quota.at("metadata", "name")?.string ?? ""
            guard let quotaResource = registry.resource(group: "", version: "v1", plural: "resourcequotas") else {
                return
            }
            let request = ResourceRequest(
                resource: quotaResource, namespace: namespace, name: name, user: .system("apiserver"),
                subresource: "status")
            await changeQuietly(request) { current in
                let parsed = ResourceQuota(current)
                var result = current
                result["status"] = parsed.status(used: self.used(of: parsed, namespace: namespace))
                return result
            }
        }
    }
}
