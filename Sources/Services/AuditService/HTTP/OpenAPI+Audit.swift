internal import ServiceHTTP
internal import StructuredData
internal import TodoModel

extension OpenAPI {
    /// The document of this service's part of the API.
    static let audit: JSON = [
        "openapi": "3.1.0", "info": ["title": "todo-operator: audit", "version": "1"],
        "paths": [
            "/v1/audit": [
                "get": operation(
                    "listAudit", "What was done, by you or with what is yours, the newest first.",
                    scope: Scope.read.rawValue,
                    parameters: [
                        parameter("after", time, "Only what was done later."),
                        parameter("before", time, "Only what was done earlier."),
                        parameter("actor", id, "Only what this person did."),
                        parameter("subject", id, "Only what was done with this task or project."),
                        parameter(
                            "type", text, "Only events of this type, or of those that begin so: with * at its end."),
                    ] + page, "application/json", reference("AuditPage"))
            ],
            "/v1/audit/checkpoints": [
                "get": operation(
                    "listAuditCheckpoints", "The log's checkpoints, which prove what was in it, the newest first.",
                    scope: Scope.read.rawValue, parameters: page, "application/json", reference("CheckpointPage"))
            ],
            "/v1/audit/export": [
                "get": operation(
                    "exportAudit", "The whole log, for `todo audit verify`: one JSON object each line.",
                    scope: AuditRoutes.exportScope, parameters: [], "application/x-ndjson", text)
            ],
        ],
        "components": ["schemas": auditSchemas],
    ]

    private static let hash: JSON = ["type": "string", "pattern": "^[0-9a-f]{64}$"]

    private static let page: [JSON] = [
        parameter("limit", ["type": "integer", "minimum": 1, "maximum": 200], "50 unless given."),
        parameter("cursor", text, "The nextCursor of the page before."),
    ]

    private static func operation(
        _ name: String, _ summary: String, scope: String, parameters: [JSON], _ type: String, _ schema: JSON
    ) -> JSON {
        [
            "operationId": .string(name), "summary": .string(summary), "security": [["bearer": []], ["session": []]],
            "x-scope": .string(scope), "parameters": .array(parameters),
            "responses": [
                "200": ["description": "OK", "content": .object([type: ["schema": schema]])],
                "default": ["$ref": "#/components/responses/Problem"],
            ],
        ]
    }

    private static func parameter(_ name: String, _ schema: JSON, _ explanation: String) -> JSON {
        ["name": .string(name), "in": "query", "schema": schema, "description": .string(explanation)]
    }

    private static func page(of schema: String) -> JSON {
        object(["items": list(of: reference(schema)), "nextCursor": orNull(text)])
    }

    private static let auditSchemas: JSON = [
        "AuditPage": page(of: "AuditItem"), "CheckpointPage": page(of: "SignedCheckpoint"),
        "AuditItem": object([
            "id": id, "type": text, "time": time, "recordedAt": time, "user": id, "actor": orNull(id),
            "subject": orNull(id), "shard": count, "index": count, "hash": hash,
            "content": [
                "description": "Null once the person was erased.",
                "anyOf": [["type": "object"], ["type": "null"]],
            ],
        ]),
        "SignedCheckpoint": object([
            "signature": text,
            "checkpoint": object([
                "format": text, "index": count, "key": text, "previous": hash, "time": time,
                "heads": list(of: object(["count": count, "hash": hash])),
            ]),
        ]),
    ]
}
