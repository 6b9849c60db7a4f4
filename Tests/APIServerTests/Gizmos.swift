import APIServer
import HTTPTypes
import StructuredData
import Testing

/// A custom resource for the tests: namespaced, with status, scale, validation, a default and printer columns.
func gizmo(_ name: String, size: String = "small") -> JSON {
    [
        "apiVersion": "lab.example.test/v1", "kind": "Gizmo", "metadata": ["name": .string(name)],
        "spec": ["size": .string(size)],
    ]
}

extension TestServer {
    static let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    static let gizmos = "/apis/lab.example.test/v1/namespaces/default/gizmos"

    static let gizmoDefinition: JSON = [
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": ["name": "gizmos.lab.example.test"],
        "spec": [
            "group": "lab.example.test", "scope": "Namespaced",
            "names": ["plural": "gizmos", "singular": "gizmo", "kind": "Gizmo", "listKind": "GizmoList"],
            "versions": [
                [
                    "name": "v1", "served": true, "storage": true,
                    "subresources": [
                        "status": [:],
                        "scale": ["specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"],
                    ],
                    "schema": ["openAPIV3Schema": gizmoSchema],
                ]
            ],
        ],
    ]

    private static let gizmoSchema: JSON = [
        "type": "object", "required": ["spec"],
        "properties": [
            "spec": [
                "type": "object", "required": ["size"],
                "properties": [
                    "size": ["type": "string", "enum": ["small", "large"]],
                    "replicas": ["type": "integer", "default": 1, "minimum": 0],
                ],
            ],
            "status": ["type": "object", "properties": ["replicas": ["type": "integer"]]],
        ],
    ]

    func installGizmos() async throws {
        let answer = await send(.post, Self.definitions, Self.gizmoDefinition)
        try #require(answer.code == 201, "\(answer.text)")
    }
}
