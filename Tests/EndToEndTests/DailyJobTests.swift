import Foundation
import HTTPTypes
import KubernetesClient
import Postgres
import StructuredData
import Testing

/// The cron binding that the operator makes, with another time: the sidecar calls the service, and that does its job.
@Suite(.loadsProcessors, .inTime) struct DailyJobTests {
    @Test func theSidecarsCallPurgesTheBin() async throws {
        let up = try await TodoUp.start()
        let client = try up.client
        let type = ResourceType(group: "dapr.io", version: "v1alpha1", kind: "Component", plural: "components")
        let daily = try await client.get(type, namespace: "todo", name: "todo-api-daily", subresource: nil).json
        let metadata = (daily.at("spec", "metadata")?.array ?? []).map { item -> JSON in
            item["name"] == "schedule" ? ["name": "schedule", "value": "* * * * * *"] : item
        }
        #expect(metadata.contains { $0["value"] == "* * * * * *" })
        var spec = daily["spec"] ?? [:]
        spec["metadata"] = .array(metadata)
        let user = APIUser(site: up.address, email: "", id: "", token: up.token)
        var ids: [String] = []
        for title in ["old", "new"] {
            let id = try await user.insist(.post, "/v1/tasks", ["title": .string(title)])["id"]?.string ?? ""
            try await user.insist(.delete, "/v1/tasks/\(id)")
            ids.append(id)
        }
        // As if it had been deleted 31 days ago.
        let aged = try await up.sql(
            "UPDATE tasks SET deleted_at = deleted_at - interval '31 days' WHERE title = 'old'")
        #expect(aged == 1)
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": "every-second"], "scopes": daily["scopes"] ?? [], "spec": spec]),
            type, namespace: "todo")
        _ = try await eventually(within: .seconds(30), "the old task is gone; it said: \(up.process.output)") {
            let left = try await user.insist(.get, "/v1/tasks?deleted=true")["items"]?.array?.map { $0["id"]?.string }
            return left == [ids[1]] ? true : nil
        }
        try await up.process.stop(SIGTERM)
    }
}
