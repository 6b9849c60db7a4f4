internal import StructuredData

extension DeploymentRules {
    /// What a new number of pods asks for before a rollout goes on; nil when there is none. In the middle of one every
    /// ReplicaSet gets its share, as in Kubernetes (documentation, "Deployments", "Proportional scaling"): else a
    /// template that never comes up would get all the new pods.
    var scaling: [Action]? {
        let active = all.filter { $0.replicas > 0 }
        let isNew = active.contains { ($0.desired ?? desired) != desired }
        if active.count > 1 { return isNew && !isRecreate ? shares(of: active) : nil }
        // The rollout itself brings the only one to the number, unless it is held up.
        guard isPaused, let only = active.first ?? new ?? old.last, only.replicas != desired else { return nil }
        return [.scale(name: only.name, replicas: desired)]
    }

    private func shares(of active: [ReplicaSetView]) -> [Action] {
        let total = active.reduce(0) { $0 + $1.replicas }
        let allowed = desired > 0 ? desired + surgeAndUnavailable.surge : 0
        var rest = allowed - total
        let grows = rest > 0
        // The largest first: it gets what rounding leaves. Of two as large the newer one is to grow, the older one to
        // shrink.
        let sorted = active.sorted { left, right in
            if left.replicas != right.replicas { return left.replicas > right.replicas }
            let isOlder = (left.created, left.name) < (right.created, right.name)
            return isOlder != grows
        }
        var sizes: [Int] = []
        for set in sorted {
            let wanted = share(of: set, allowed: allowed, total: total) - set.replicas
            let step = rest == 0 ? 0 : grows ? min(wanted, rest) : max(wanted, rest)
            rest -= step
            sizes.append(set.replicas + step)
        }
        sizes[0] = max(0, sizes[0] + rest)
        return zip(sorted, sizes).map { set, size -> Action in
            // Also one that stays as it is has then been scaled to this number.
            guard size == set.replicas else { return .scale(name: set.name, replicas: size) }
            return .annotate(name: set.name, annotations: scaleAnnotations["annotations"] ?? [:])
        }
    }

    /// As large a part of what is allowed now as it was of what was allowed before.
    private func share(of set: ReplicaSetView, allowed: Int, total: Int) -> Int {
        let before = set.maximum.flatMap { $0 > 0 ? $0 : nil } ?? total
        let size = (Double(set.replicas) * Double(allowed) / Double(before)).rounded()
        // Anybody can write the annotation; the number of pods is of 32 bits in the API.
        return Int(min(size, Double(Int32.max)))
    }
}
