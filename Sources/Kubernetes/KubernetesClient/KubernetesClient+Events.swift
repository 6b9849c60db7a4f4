extension KubernetesClient {
    /// Stores an event. Gives it as stored: its namespace and name are needed to count a series up.
    public func record(
        _ event: EventRecord, controller: String, instance: String
    ) async throws(APIError) -> KubernetesObject {
        try await create(event.object(controller: controller, instance: instance), .events)
    }

    /// Says that a stored event has happened again. Throws `isNotFound` when the event has expired: record it anew.
    public func record(
        _ series: EventRecord.Series, of event: KubernetesObject
    ) async throws(APIError) -> KubernetesObject {
        try await patch(.events, namespace: event.namespace, name: event.name, series.patch)
    }
}
