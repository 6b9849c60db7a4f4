internal import StructuredData
internal import TodoResources

/// The files of the repository that follow from code: `todo manifests --write-to .` writes them, and a test compares.
public enum GeneratedFiles {
    /// By their paths in the repository.
    public static var all: [(path: String, text: String)] {
        let installation = Installation()
        return [
            ("crds/todo-operator.dev.yaml", YAML.write(documents: CustomResourceDefinitions.all)),
            ("manifests/install.yaml", YAML.write(documents: installation.objects)),
            // Kustomize takes no file from outside of its folder.
            ("manifests/base/operator.yaml", YAML.write(documents: installation.operatorObjects)),
            (
                "manifests/components/monitoring/monitoring.yaml",
                YAML.write(documents: Monitoring.objects(of: installation))
            ),
            ("charts/todo-operator/templates/_generated.tpl", ChartParts.definitions),
            ("charts/todo-operator/templates/crds.yaml", ChartParts.customResourceDefinitions),
            (
                "Sources/Operator/TodoOperator/TodoOperator.docc/CustomResources.md",
                CustomResourceReference.markdown
            ),
        ]
    }
}
