internal import StructuredData

extension TodoApp {
    /// The structural schema of `TodoApp`, with the rules that span fields in CEL.
    static var schema: SchemaBuilder {
        .object(
            "TodoApp is one installation of the todo platform: its database, its services and how they are reached.",
            required: ["spec"],
            [
                "apiVersion": .string("The API version of this object: todo-operator.dev/v1alpha1."),
                "kind": .string("The kind of this object: TodoApp."),
                "metadata": .object("Standard object metadata.", [:]),
                "spec": Spec.schema,
                "status": Status.schema.unseen,
            ]
        )
        .rule(
            "size(self.metadata.name) <= 45",
            "metadata.name must have at most 45 characters: Dapr takes NAME-notification up to 58 as the id of an app"
        )
        .rule(
            "size(self.metadata.name) <= 24 || has(self.spec.kafka) && has(self.spec.kafka.external)",
            """
            metadata.name must have at most 24 characters with a Kafka of its own, whose pods are called \
            NAME-NAME-controller-0
            """
        )
        .rule(
            "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
            "metadata.name must be a DNS label that starts with a letter, because Services are named after it")
    }
}

extension TodoApp.Spec {
    static var schema: SchemaBuilder {
        .object(
            "What the installation should be.", required: ["database"],
            [
                "image": .string(
                    """
                    The container image that every service of this installation runs. It is set once, when the object is \
                    created, to the image of the release that the CRD came with, and stays when the operator is upgraded: \
                    change it to upgrade the services.
                    """, form: .image, length: 1...512
                ).defaulting(to: .string(ProductVersion.image)),
                "imagePullSecrets": .list(
                    "The Secrets, of type kubernetes.io/dockerconfigjson, that the image is pulled with.", key: "name",
                    of: .object("One Secret.", required: ["name"], ["name": .secretName]), count: 0...16),
                "database": TodoApp.Database.schema,
                "kafka": TodoApp.Kafka.schema,
                "dapr": TodoApp.Dapr.schema,
                "services": TodoApp.Services.schema,
                "workers": TodoApp.Workers.schema,
                "web": TodoApp.Web.schema,
                "auth": TodoApp.Auth.schema,
                "notifications": TodoApp.Notifications.schema,
                "retention": TodoApp.Retention.schema,
                "networkPolicy": .choice(
                    """
                    Enabled: a NetworkPolicy lets only the service port in, and what the Dapr sidecar serves (3501, 9090, and \
                    50002 to pods of the same app); and only DNS, the namespace of Dapr's control plane and the ports \
                    of what the spec names out, but anything of the notification service, whose webhooks may be \
                    anywhere. Disabled: no NetworkPolicy is made, and one made before is removed.
                    """, TodoApp.NetworkPolicyMode.self
                ).defaulting(to: "Enabled"),
                "monitoring": TodoApp.Monitoring.schema,
                "upgradePolicy": TodoApp.UpgradePolicy.schema,
                "secretRotation": .string(
                    """
                    A name for the present tokens and keys, such as 2026-11. Another name makes new ones, in the Secrets \
                    NAME-api-token-2026-11, NAME-dapr-token-2026-11 and NAME-link-key-2026-11, and rolls the pods. The API \
                    token and the links of the name before are taken until the next change; a name that was used before \
                    brings its tokens back and takes the present ones away at once, so take a new one. The keys of the audit log are never changed.
                    """, form: .rotation, length: 1...20),
                "suspend": .boolean(
                    """
                    While true the operator changes nothing of this installation; what runs goes on running. Deleting the \
                    object still deletes what was made for it.
                    """
                ).defaulting(to: false),
                "deletionPolicy": TodoApp.DeletionPolicy.schema,
            ])
    }
}

extension TodoApp.Database {
    static var schema: SchemaBuilder {
        .object(
            "The PostgreSQL database (version 15 or later) that holds everything.", required: ["secretRef"],
            [
                "secretRef": .object(
                    """
                    The Secret, in the namespace of this object, that says how to connect. Key uri: a PostgreSQL URI such \
                    as postgresql://user:password@host:5432/todo; a transaction-mode pooler is fine. Key directUri, \
                    optional: the same database without a pooler, used for migrations and to wake up the workers. A change of the \
                    Secret rolls the pods: at once, or within minutes where the operator follows hundreds of Secrets or \
                    may not watch them.
                    """, required: ["name"],
                    [
                        "name": .secretName
                    ]),
                "tlsMode": .choice(
                    """
                    VerifyFull: TLS, and the server's certificate must be trusted and name the host. Require: TLS without a \
                    check of the certificate. Disable: no TLS.
                    """, TodoApp.TLSMode.self
                ).defaulting(to: "VerifyFull"),
                "poolSize": .integer("How many connections each pod of a service keeps at the most.", in: 1...1000)
                    .defaulting(to: 16),
            ])
    }
}

extension TodoApp.Services {
    static var schema: SchemaBuilder {
        .object(
            "The services of the installation.",
            [
                "api": TodoApp.Service.schema("The HTTP API and the web page.", replicas: 2),
                "audit": TodoApp.Service.schema(
                    "The tamper-evident log of every change. Without pods nothing is lost: it takes up where it left off.",
                    replicas: 2, measures: [.kafkaLag]),
                "notification": TodoApp.Service.schema(
                    "Delivers reminders by webhook and e-mail. Without pods they wait.", replicas: 2,
                    measures: [.kafkaLag]),
                "realtime": TodoApp.Service.schema(
                    "Live changes, by WebSocket.", replicas: 2, measures: [.connectionsPerReplica]),
            ]
        ).defaulting(to: [:])
    }
}

extension TodoApp.Auth {
    static var schema: SchemaBuilder {
        .object(
            "Who may use the installation.",
            [
                "signUp": .choice(
                    "Open: anybody who reaches the web page can make an account. Closed: nobody can.",
                    TodoApp.SignUp.self
                ).defaulting(to: "Closed"),
                "oidc": TodoApp.OIDC.schema,
            ]
        ).defaulting(to: [:])
    }
}

extension TodoApp.Service {
    static func schema(
        _ description: String, replicas: Int, measures: [TodoApp.Autoscaling.Measure] = []
    ) -> SchemaBuilder {
        .object(
            description,
            [
                "replicas": .integer(
                    "How many pods run it, or with autoscaling how many at the least; 0 stops it.", in: 0...1000
                ).defaulting(to: JSON(replicas)),
                "resources": TodoApp.Resources.schema,
                "autoscaling": TodoApp.Autoscaling.schema(measures),
            ]
        ).withPodSettings.withAutoscalingRules.defaulting(to: [:])
    }
}

extension TodoApp.Resources {
    static var schema: SchemaBuilder {
        schema("Processor and memory of each pod. Without it: requests of 50m and 64Mi, and a memory limit of 256Mi.")
    }

    static func schema(_ description: String) -> SchemaBuilder {
        .object(
            description,
            [
                "requests": .map("What is promised.", of: .quantity("An amount.")),
                "limits": .map("What may be used at the most.", of: .quantity("An amount.")),
            ])
    }
}
