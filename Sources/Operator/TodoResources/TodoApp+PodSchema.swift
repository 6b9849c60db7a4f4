internal import StructuredData

extension SchemaBuilder {
    /// Adds the fields of `TodoApp.PodSettings`.
    var withPodSettings: SchemaBuilder {
        property("env", TodoApp.PodSettings.env)
            .property(
                "nodeSelector",
                .map("The labels that a node must have to run the pods.", of: .labelValue, count: 0...64)
            )
            .property("tolerations", TodoApp.PodSettings.tolerations)
            .property("affinity", TodoApp.PodSettings.affinity)
            .property(
                "priorityClassName",
                .string(
                    "The PriorityClass of the pods.", form: .objectName, length: 1...253)
            )
            .property(
                "podAnnotations",
                .map("More annotations of the pods.", of: .string("Its value."), count: 0...64)
                    .rule(
                        "self.all(key, !key.startsWith('todo-operator.dev/') && !key.startsWith('dapr.io/'))",
                        "annotations of todo-operator.dev and dapr.io are the operator's; see spec.dapr")
            )
            .property(
                "podLabels",
                .map("More labels of the pods.", of: .labelValue, count: 0...64)
                    .rule(
                        """
                        self.all(key, !key.startsWith('app.kubernetes.io/') && !key.startsWith('todo-operator.dev/') \
                        && !key.startsWith('dapr.io/'))
                        """, "labels of app.kubernetes.io, todo-operator.dev and dapr.io are the operator's"))
    }

    fileprivate static let labelValue = string(
        "The value of the label.", form: .labelValue, length: 0...63)

    fileprivate static let objectName = string(
        "The name of the object, in the namespace of this one.", form: .objectName,
        length: 1...253)
}

extension TodoApp.PodSettings {
    fileprivate static let env = SchemaBuilder.list(
        "More environment variables of the container.", key: "name",
        of: .object(
            "One variable, with one of value and valueFrom.", required: ["name"],
            [
                "name": .string("Its name.", form: .variable, length: 1...253),
                "value": .string("Its value; $(NAME) stands for that of a variable before it.", length: 0...32768),
                "valueFrom": .object(
                    "Where its value is read when a pod starts: one of the two.",
                    [
                        "secretKeyRef": reference("A key of a Secret. A change of it rolls the pods."),
                        "configMapKeyRef": reference("A key of a ConfigMap. A change of it reaches new pods only."),
                    ]
                ).rule(
                    "has(self.secretKeyRef) != has(self.configMapKeyRef)",
                    "valueFrom needs one of secretKeyRef and configMapKeyRef"),
            ]
        ).rule("has(self.value) != has(self.valueFrom)", "a variable needs one of value and valueFrom")
            .rule(
                "!(self.name in [\(TodoApp.reservedVariables.map { "'\($0)'" }.joined(separator: ", "))])",
                "the operator sets this variable itself", fieldPath: ".name"),
        count: 0...64)

    /// What is inside is for the API server to judge: written out for five services, it would make the
    /// CustomResourceDefinition larger than `kubectl apply` can keep in its annotation (256 KiB).
    fileprivate static let affinity = SchemaBuilder.object(
        "Which nodes and which other pods the pods are drawn to or kept from, as in the spec of a Pod.",
        [
            "nodeAffinity": .anything("Nodes that they should be on."),
            "podAffinity": .anything("Pods that they should be near."),
            "podAntiAffinity": .anything("Pods that they should be far from."),
        ])

    private static func reference(_ description: String) -> SchemaBuilder {
        .object(
            description, required: ["name", "key"],
            [
                "name": .objectName,
                "key": .string("The key.", form: .secretKey, length: 1...253),
                "optional": .boolean("Whether the variable is left out where there is no such key."),
            ])
    }

    fileprivate static let tolerations = SchemaBuilder.atomicList(
        "The taints of nodes that the pods tolerate.",
        of: .object(
            "One toleration.",
            [
                "key": .string("The key of the taint; without it every key, and operator must be Exists."),
                "operator": .choice("How value is compared; Equal unless it is said.", of: ["Exists", "Equal"]),
                "value": .string("The value of the taint."),
                "effect": .choice(
                    "The effect of the taint; without it every effect.",
                    of: ["NoSchedule", "PreferNoSchedule", "NoExecute"]),
                "tolerationSeconds": .integer(
                    "How long a pod stays on a node that gets such a taint with NoExecute; without it for ever.",
                    format: "int64"),
            ]
        ).rule(
            "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
            "a toleration without key needs operator Exists"
        ).rule(
            "!has(self.value) || !has(self.operator) || self.operator != 'Exists'",
            "a toleration with operator Exists has no value"
        ).rule(
            "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            "tolerationSeconds needs effect NoExecute"),
        count: 0...32)
}
