internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// Starts Jobs by the clock, as `CronJobRules` say.
struct CronJobController: Sendable {
    let access: ClusterAccess
    let jobs: Informer
    let events: EventRecorder
    private let unseen = UnseenWrites()
    private let unseenJobs = UnseenWrites()

    init(access: ClusterAccess, jobs: Informer, events: EventRecorder) {
        self.access = access
        self.jobs = jobs
        self.events = events
    }

    func register(with manager: Manager) {
        let cronJobs = manager.informer(.cronJobs)
        manager.controller("cronjob", for: cronJobs, predicate: .all) { try await reconcile($0, cronJobs.store) }
            .owns(jobs)
    }

    private func reconcile(_ context: ReconcileContext, _ cronJobs: Store) async throws -> ReconcileResult {
        guard let cronJob = context.object, unseen.areSeen(context.key, in: cronJobs),
            unseenJobs.areSeen(context.key, in: jobs.store)
        else { return .done }
        let own = jobs.store.list(ownedBy: cronJob.uid).map(\.object).filter { $0.isControlled(by: cronJob.uid) }
        let rules = CronJobRules(cronJob: cronJob, jobs: own, now: access.time.wallClock)
        let plan = rules.plan
        for note in plan.notes { record(note.isWarning ? .warning : .normal, note.reason, note.text, about: cronJob) }
        for job in plan.delete { try await delete(job, cronJob, context) }
        var status = plan.status
        if let (job, scheduled) = plan.create {
            guard let started = try await create(job, for: cronJob) else { return .done }
            status = rules.status(status, started: started, for: scheduled)
        }
        let written = try await access.client.updateStatus(
            of: cronJob, .cronJobs, to: status, by: ClusterAccess.controllerManager)
        if let written { unseen.note(written, for: context.key) }
        // A little late rather than a moment too early.
        return plan.next.map { .requeue(after: $0 + .milliseconds(100)) } ?? .done
    }

    /// Nil when there is nothing to follow: the namespace goes.
    private func create(_ job: JSON, for cronJob: KubernetesObject) async throws(APIError) -> KubernetesObject? {
        do {
            let created = try await access.client.create(
                KubernetesObject(job), .jobs, options: WriteOptions(fieldManager: ClusterAccess.controllerManager))
            unseenJobs.note(created, for: ObjectKey(cronJob))
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
