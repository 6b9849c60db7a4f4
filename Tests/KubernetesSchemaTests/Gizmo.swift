import KubernetesSchema
import StructuredData

/// The kind of the conformance cases, whose answers a real kube-apiserver gave.
enum Gizmo {
    static let schemaText = """
        {"type": "object", "required": ["spec"], "properties": {
          "spec": {"type": "object", "required": ["size"],
            "x-kubernetes-validations": [
              {"rule": "self.replicas <= 10", "message": "replicas must not exceed 10"},
              {"rule": "!has(self.note) || self.note != self.size", "message": "note repeats size"}],
            "properties": {
              "size": {"type": "string", "enum": ["small", "large"], "description": "how big it is"},
              "replicas": {"type": "integer", "minimum": 0, "default": 1},
              "note": {"type": "string", "maxLength": 20, "nullable": true},
              "port": {"x-kubernetes-int-or-string": true},
              "frozen": {"type": "string", "x-kubernetes-validations": [
                {"rule": "self == oldSelf", "message": "frozen is immutable"}]},
              "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
              "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {
                  "name": {"type": "string"}, "weight": {"type": "integer", "default": 5}}}},
              "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}}},
          "status": {"type": "object", "properties": {
            "replicas": {"type": "integer"},
            "conditions": {"type": "array", "items": {"type": "object", "properties": {
              "type": {"type": "string"}, "status": {"type": "string"}, "reason": {"type": "string"}}}}}}}}
        """

    static func schema() throws -> Schema {
        try StructuralSchema.compile(JSON(parsing: schemaText))
    }

    static func object(_ spec: JSON, name: String = "one") -> JSON {
        ["apiVersion": "lab.example.test/v1", "kind": "Gizmo", "metadata": ["name": .string(name)], "spec": spec]
    }
}

/// JSON from text, for literals that are easier to read so.
func json(_ text: String) throws -> JSON { try JSON(parsing: text) }
