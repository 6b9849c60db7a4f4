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
        try await Self.age("old", in: client)
        _ = try await client.create(
            KubernetesObject(["metadata": ["name": "every-second"], "scopes": daily["scopes"] ?? [], "spec": spec]),
            type, namespace: "todo")
        _ = try await eventually(within: .seconds(30), "the old task is gone; it said: \(up.process.output)") {
            let left = try await user.insist(.get, "/v1/tasks?deleted=true")["items"]?.array?.map { $0["id"]?.string }
            return left == [ids[1]] ? true : nil
        }
        try await up.process.stop(SIGTERM)
    }

    /// Makes it look as if the task had been deleted 31 days ago.
    private static func age(_ title: String, in client: KubernetesClient) async throws {
        let app = try await client.get(.todoApps, namespace: "todo", name: "todo", subresource: nil)
        let name = app.json.at("spec", "database", "secretRef", "name")?.string ?? ""
        let secret = try await client.get(.secrets, namespace: "todo", name: name, subresource: nil)
        let data = secret.json.at("data", "uri")?.string.flatMap { Data(base64Encoded: $0) }
        let uri = String(decoding: try #require(data), as: UTF8.self)
        let connection = try await PostgresConnection.connect(PostgresConfiguration(uri))
        let aged = try await connection.withTransaction { connection in
            try await connection.query("SELECT set_config('app.system', 'on', true)")
            return try await connection.query(
                "UPDATE tasks SET deleted_at = deleted_at - interval '31 days' WHERE title = \(title)"
            ).affected
        }
        #expect(aged == 1)
        await connection.close()
    }
}
