internal import StructuredData
internal import TodoModel
internal import TodoResources

/// The Dapr Component by which a service is called for its daily job (`bindings.cron`; contracts, section 4). It calls every
/// replica: the job sees to it that one works.
struct DailyBinding {
    let job: EventFlow.DailyJob
    let service: TodoApp.ServiceName
    let app: TodoApp

    static func all(of app: TodoApp) -> [DailyBinding] {
        EventFlow.dailyJobs.compactMap { job in
            TodoApp.ServiceName(rawValue: job.service).map { DailyBinding(job: job, service: $0, app: app) }
        }
    }

    var object: JSON {
        let names = AppNames(app)
        return [
            "apiVersion": "dapr.io/v1alpha1", "kind": "Component",
            "metadata": DesiredState.metadata(service, of: app, name: names.daily(service)),
            "scopes": [.string(names.service(service))],
            "spec": [
                "metadata": [
                    PubSubComponent.value("schedule", schedule), PubSubComponent.value("route", job.path),
                    // Else the service is asked first whether it wants to be called.
                    PubSubComponent.value("direction", "input"),
                ],
                "type": "bindings.cron", "version": "v1",
            ],
        ]
    }

    /// A second between 01:00 and 05:00 UTC that the names decide, so that the databases of many apps are not all at work
    /// at once: six fields, the first for seconds.
    private var schedule: String {
        let names = AppNames(app)
        let window = 4 * 3600
        let second = 3600 + Int(Self.hash("\(names.namespace)/\(names.service(service))") % UInt64(window))
        return "\(second % 60) \(second / 60 % 60) \(second / 3600) * * *"
    }

    /// FNV-1a: the same in every process, as `Hasher` is not.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
