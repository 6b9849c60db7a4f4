internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Starts Jobs by the clock, as `CronJobRules` say.
struct CronJobController: Sendable {
    let access: ClusterAccess
    let jobs: Informer
    let events: EventRecorder

    func register(with manager: Manager) {
        let cronJobs = manager.informer(.cronJobs)
        manager.controller("cronjob", for: cronJobs, predicate: .all) { try await reconcile($0) }.owns(jobs)
    }

    private func reconcile(_ context: ReconcileContext) async throws -> ReconcileResult {
        guard let cronJob = context.object else { return .done }
        let own = jobs.store.list(ownedBy: cronJob.uid).map(\.object).filter { $0.isControlled(by: cronJob.uid) }
        let rules = CronJobRules(cronJob: cronJob, jobs: own, now: access.time.wallClock)
        let plan = rules.plan
        for note in plan.notes { record(note.isWarning ? .warning : .normal, note.reason, note.text, about: cronJob) }
        for job in plan.delete { try await delete(job, cronJob, context) }
        var status = plan.status
        if let (job, scheduled) = plan.create {
            guard let started = try await create(job, for: cronJob, context) else { return .done }
            status = rules.status(status, started: started, for: scheduled)
        }
        try await context.updateStatus(.cronJobs, to: status, through: access.client)
        // A little late rather than a moment too early.
        return plan.next.map { .requeue(after: $0 + .milliseconds(100)) } ?? .done
    }

    /// Nil when there is nothing to follow: the namespace goes.
    private func create(
        _ job: JSON, for cronJob: KubernetesObject, _ context: ReconcileContext
    ) async throws(APIError) -> KubernetesObject? {
        do {
            let created = try await access.client.create(
                KubernetesObject(job), .jobs, options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
            context.expect(created, .jobs, isNew: true)
            record(.normal, "SuccessfulCreate", "Created job \(created.name)", about: cronJob)
            return created
        } catch {
            if error.isNamespaceTerminating { return nil }
            // Started before this program was stopped, and not yet in the status.
            if error.isAlreadyExists, let name = job.at("metadata", "name")?.string {
                let present = try await access.client.getIfPresent(.jobs, namespace: cronJob.namespace, name: name)
                if let present, present.isControlled(by: cronJob.uid) { return present }
            }
            record(.warning, "FailedCreate", "Error creating job: \(error.text)", about: cronJob)
            throw error
        }
    }

    private func delete(
        _ job: KubernetesObject, _ cronJob: KubernetesObject, _ context: ReconcileContext
    ) async throws {
        guard let stored = jobs.store.stored(ObjectKey(job)), stored.uid == job.uid else { return }
        try await context.delete(stored, .jobs)
        record(.normal, "SuccessfulDelete", "Deleted job \(job.name)", about: cronJob)
    }

    private func record(
        _ severity: EventNote.Severity, _ reason: String, _ text: String, about object: KubernetesObject
    ) {
        events.record(EventNote(severity, reason: reason, action: "Reconcile", text), about: object)
    }
}
