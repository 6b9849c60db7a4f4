internal import ControllerRuntime
internal import KubernetesClient
internal import Logging
internal import StructuredData

/// Deletes events an hour after they were last told, as kube-apiserver does by default (`--event-ttl`).
struct EventExpiry: Sendable {
    private static let lifetime = 3_600
    /// How often it looks.
    private static let interval: Duration = .seconds(300)

    let access: ClusterAccess

    func run() async {
        while (try? await access.time.sleep(until: access.time.now.advanced(by: Self.interval))) != nil {
            do { try await deleteExpired() } catch {
                access.logger.warning("old events are kept for now", metadata: ["error": "\(error)"])
            }
        }
    }

    func deleteExpired() async throws(APIError) {
        let limit = access.time.wallClock.advanced(by: .seconds(-Self.lifetime))
        for event in try await access.client.listAll(.events).items {
            guard let told = Self.lastTold(event), told < limit else { continue }
            do {
                try await access.client.delete(
                    .events, namespace: event.namespace, name: event.name,
                    options: DeleteOptions(uid: event.uid, resourceVersion: event.resourceVersion))
            } catch { guard error.isNotFound || error.isConflict else { throw error } }
        }
    }

    private static func lastTold(_ event: KubernetesObject) -> KubernetesTime? {
        let texts = [
            event.metadata["creationTimestamp"], event.json["deprecatedLastTimestamp"],
            event.json.at("series", "lastObservedTime"),
        ]
        return texts.compactMap { $0?.string.flatMap { KubernetesTime($0) } }.max()
    }
}
