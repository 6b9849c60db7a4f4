internal import StructuredData
internal import TodoResources

/// The templates of the Helm chart that follow from code, so that chart and code cannot drift apart. The others include
/// them.
enum ChartParts {
    private static let notice = "{{/* Made by `make manifests` from Sources/Operator; changes here are lost. */}}\n"

    /// `charts/todo-operator/templates/_generated.tpl`.
    static var definitions: String {
        let parts: [(name: String, content: JSON)] = [
            ("rules.byName", json(OperatorRole.rules(secrets: .byName))),
            ("rules.watched", json(OperatorRole.rules(secrets: .watched))),
            ("rules.definitions", json(OperatorRole.definitionRules)),
            ("rules.election", json(OperatorRole.electionRules)),
            ("rules.view", json(UserRole.view.rules)),
            ("rules.edit", json(UserRole.edit.rules)),
            ("alerts", Monitoring.alertGroups),
        ]
        return notice
            + parts.map { name, content in
                "{{- define \"todo-operator.\(name)\" -}}\n\(escaped(YAML.write(content))){{- end }}\n"
            }.joined()
    }

    /// `charts/todo-operator/templates/crds.yaml`. They are templates because Helm never upgrades what is in `crds/`, and
    /// are kept on uninstall because every app goes with them.
    static var customResourceDefinitions: String {
        let kept = CustomResourceDefinitions.all.map { definition in
            var definition = definition
            definition.set("keep", at: "metadata", "annotations", "helm.sh/resource-policy")
            return definition
        }
        return "\(notice){{- if .Values.crds.install }}\n\(escaped(YAML.write(documents: kept))){{- end }}\n"
    }

    private static func json(_ rules: [PolicyRule]) -> JSON { .array(rules.map(\.json)) }

    /// As a template that renders to `text`.
    private static func escaped(_ text: String) -> String { text.replacing("{{", with: "{{ \"{{\" }}") }
}
