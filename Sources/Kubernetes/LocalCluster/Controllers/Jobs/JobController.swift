internal import APIServerKinds
internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Runs Jobs to their completion, as `JobRules` say.
struct JobController: Sendable {
    private static let ownName = "kubernetes.io/job-controller"

    let control: PodControl

    func register(with manager: Manager, jobs: Informer) {
        manager.controller("job", for: jobs, predicate: .all) { try await reconcile($0) }
            .owns(control.pods)
            .watches(control.pods) { change in ReplicaSetController.selecting(change, in: jobs.store) }
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        try await releaseStrays(context)
        guard let job = context.object, let json = job.spec?["selector"],
            let selector = LabelSelector(labelSelector: json), !selector.isEmpty,
            [nil, Self.ownName].contains(job.spec?["managedBy"]?.string)
        else { return .done }
        let adoption = Adoption(owner: job, selector: selector, in: control.pods.store)
        if !job.isBeingDeleted, try await control.adopt(adoption, owner: job, .jobs, context) { return .done }
        return try await carryOut(JobRules(job: job, pods: adoption.owned, now: control.access.time.wallClock), context)
    }

    /// Pods of a Job that is gone, or of another one of its name, wait for nobody to count them.
    private func releaseStrays(_ context: ReconcileContext) async throws(APIError) {
        for stored in control.pods.store.list(namespace: context.key.namespace ?? "") {
            guard let owner = stored.controller, owner.kind == "Job", owner.name == context.key.name,
                owner.uid != context.object?.uid
            else { continue }
            try await control.removeFinalizer(JobRules.finalizer, from: stored.object, context)
        }
    }

    private func carryOut(_ rules: JobRules, _ context: ReconcileContext) async throws -> ReconcileResult {
        let (job, plan) = (rules.job, rules.plan)
        // It counts pods: the next pass goes by what this one wrote.
        let written = try await context.updateStatus(.jobs, to: plan.status, through: control.access.client)
        if written != nil {
            for note in plan.notes {
                control.record(note.isWarning ? .warning : .normal, note.reason, note.text, about: job)
            }
        } else if !StatusChange.members(from: job.status ?? [:], to: plan.status).isEmpty {
            // The Job is gone: what is not on record must not be let go here.
            return .done
        }
        for pod in plan.release + plan.discard {
            try await control.removeFinalizer(JobRules.finalizer, from: pod, context)
        }
        guard !job.isBeingDeleted else { return .done }
        for pod in plan.discard + plan.delete { try await control.delete(pod, for: job, context) }
        for pod in plan.create { try await control.create(pod, for: job, context) }
        if plan.isExpired {
            try await control.access.client.delete(
                .jobs, namespace: job.namespace, name: job.name,
                options: DeleteOptions(uid: job.uid, propagation: .foreground))
        }
        return plan.next.map { .requeue(after: max($0, .milliseconds(10))) } ?? .done
    }
}
