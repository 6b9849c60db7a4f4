internal import StructuredData

extension TodoApp.Kafka {
    static var schema: SchemaBuilder {
        .object(
            """
            Where the events of the services go: one of managed and external. Without it managed, with its defaults. \
            Events on their way stay behind when it is changed.
            """,
            ["managed": TodoApp.ManagedKafka.schema, "external": TodoApp.ExternalKafka.schema]
        ).rule(
            "has(self.managed) != has(self.external)",
            "spec.kafka must have exactly one of managed and external; set the other to null")
    }
}

extension TodoApp.ManagedKafka {
    static var schema: SchemaBuilder {
        .object(
            "A Kafka of this installation's own, run by Strimzi, with TLS, SCRAM-SHA-512 and an ACL for each service.",
            [
                "version": .string(
                    "The version of Kafka; Strimzi says in the status of its Kafka object which it can run.",
                    form: .kafkaVersion, length: 5...20
                ).defaulting(to: "4.3.1"),
                "brokers": TodoApp.KafkaNodes.schema("What holds the events.", size: "20Gi"),
                "controllers": TodoApp.KafkaNodes.schema("What knows who holds them (KRaft).", size: "5Gi")
                    .rule(
                        "self.replicas % 2 == 1", "controllers must be an odd number, so that most of them can agree"),
                "rackTopologyKey": .string(
                    """
                    The label of the nodes that names their rack or zone, such as topology.kubernetes.io/zone: copies of a \
                    topic then lie in different ones.
                    """, form: .labelKey, length: 1...316),
                "metrics": .choice(
                    """
                    Enabled: the pods of the Kafka serve metrics for Prometheus on port 9404, and Strimzi's Kafka Exporter \
                    how far the consumers are behind. Disabled: they do not. A change rolls the pods.
                    """, TodoApp.ManagedKafka.Metrics.self
                ).defaulting(to: "Disabled"),
            ])
    }
}

extension TodoApp.KafkaNodes {
    static func schema(_ description: String, size: String) -> SchemaBuilder {
        .object(
            description,
            [
                "replicas": .integer("How many there are; 3 or more survive the loss of one.", in: 1...99)
                    .defaulting(to: 3),
                "storage": .object(
                    "The disk of each. It can grow and never shrink. It goes with this object unless deletionPolicy is Retain.",
                    [
                        "size": .quantity("How large it is.").defaulting(to: .string(size)),
                        "className": .string(
                            "The StorageClass; else the cluster's default.",
                            form: .objectName,
                            length: 1...253),
                    ]
                ).defaulting(to: [:]),
                "resources": TodoApp.Resources.schema("Processor and memory of each; else what Strimzi takes."),
            ]
        ).defaulting(to: [:])
    }
}

extension TodoApp.ExternalKafka {
    static var schema: SchemaBuilder {
        .object(
            """
            A Kafka that others run. Nothing is made in it: its topics, task-events, reminder-events, audit-events and \
            dead-letters with topicPrefix before each, and the right to use them, must be there.
            """, required: ["bootstrapServers"],
            [
                "bootstrapServers": .set(
                    "Some of its brokers.",
                    of: .string("HOST:PORT.", form: .hostAndPort, length: 3...261), count: 1...32),
                "provider": .choice(
                    """
                    Who runs it. Confluent, EventHubs, MSK and Redpanda set what their service needs beyond Kafka's own \
                    defaults, and refuse a login that it does not have.
                    """, TodoApp.KafkaProvider.self
                ).defaulting(to: "Generic"),
                "topicPrefix": .string(
                    """
                    What the names of topics and consumer groups begin with. Without it NAMESPACE.NAME. with a dot at the \
                    end, so that installations that share a Kafka do not hear each other.
                    """, form: .topicPrefix, length: 0...120),
                "tls": .object(
                    "How connections are encrypted.",
                    [
                        "mode": .choice(
                            "Enabled: TLS, and the certificate must be trusted. Disabled: none.",
                            TodoApp.KafkaTLS.Mode.self
                        ).defaulting(to: "Enabled"),
                        "caSecretRef": .object(
                            "The certificate that is trusted; else those of the system.", required: ["name"],
                            [
                                "name": .secretName,
                                "key": .string("Its key.", form: .secretKey, length: 1...253)
                                    .defaulting(to: "ca.crt"),
                            ]),
                    ]
                ).defaulting(to: [:]),
                "authentication": TodoApp.KafkaAuthentication.schema,
            ]
        )
        .rule(
            "self.tls.mode == 'Enabled' || !(self.authentication.type in ['Certificate', 'OIDC', 'AWSIAM'])",
            "authentication.type Certificate, OIDC and AWSIAM need tls.mode Enabled"
        )
        .rule(
            "self.authentication.type != 'None' || self.tls.mode == 'Disabled' || has(self.tls.caSecretRef)",
            "authentication.type None with TLS needs tls.caSecretRef; else set tls.mode to Disabled, or log in"
        )
        .rule(
            "!(self.provider in ['Confluent', 'EventHubs']) || self.authentication.type in ['Plain', 'OIDC']",
            "provider Confluent and EventHubs log in with authentication.type Plain or OIDC"
        )
        .rule(
            "self.provider != 'MSK' || self.authentication.type in ['AWSIAM', 'ScramSha512', 'Certificate']",
            "provider MSK logs in with authentication.type AWSIAM, ScramSha512 or Certificate"
        )
        .rule(
            "self.provider != 'Redpanda' || self.authentication.type in ['ScramSha256', 'ScramSha512']",
            "provider Redpanda logs in with authentication.type ScramSha256 or ScramSha512")
    }
}

extension TodoApp.KafkaAuthentication {
    static var schema: SchemaBuilder {
        .object(
            "How the services log in.",
            [
                "type": .choice(
                    """
                    None; ScramSha256, ScramSha512 and Plain: the Secret's keys username and password; Certificate: its keys \
                    tls.crt and tls.key; OIDC: its keys clientId and clientSecret; AWSIAM: the role of the pods, or that of \
                    aws.roleArn.
                    """, TodoApp.KafkaLogin.self
                ).defaulting(to: "None"),
                "secretRef": .object(
                    "The Secret, in the namespace of this object, with the login.", required: ["name"],
                    [
                        "name": .secretName
                    ]),
                "oidc": .object(
                    "Where a token is got from.", required: ["tokenEndpoint"],
                    [
                        "tokenEndpoint": .string("Its URL.", form: .secureURL, length: 9...2048),
                        "scopes": .set(
                            "What is asked for.", of: .string("A scope.", form: .scope, length: 1...256),
                            count: 0...32),
                    ]),
                "aws": .object(
                    "Amazon MSK with IAM.", required: ["region"],
                    [
                        "region": .string("Its region.", form: .region, length: 1...64),
                        "roleArn": .string(
                            "A role that is assumed.", form: .role, length: 5...2048),
                    ]),
            ]
        ).defaulting(to: [:])
            .rule(
                "self.type in ['None', 'AWSIAM'] || has(self.secretRef)",
                "authentication.type ScramSha256, ScramSha512, Plain, Certificate and OIDC need authentication.secretRef"
            )
            .rule("self.type != 'OIDC' || has(self.oidc)", "authentication.type OIDC needs authentication.oidc")
            .rule("self.type != 'AWSIAM' || has(self.aws)", "authentication.type AWSIAM needs authentication.aws")
    }
}

extension TodoApp.Dapr {
    static var schema: SchemaBuilder {
        .object(
            "The Dapr sidecars beside the services.",
            [
                "controlPlaneNamespace": .string(
                    "Where Dapr's control plane runs; network policies let the sidecars reach all of it.",
                    form: .namespace, length: 1...63
                ).defaulting(to: "dapr-system"),
                "tracing": .object(
                    "Which requests are traced.",
                    [
                        "samplingRate": .string(
                            "The share of them, from 0 to 1.", form: .share, length: 1...20
                        ).defaulting(to: "0"),
                        "endpoint": .string(
                            "Where traces go, by OTLP over gRPC: HOST:PORT.", form: .hostAndPort,
                            length: 3...261),
                    ]
                ).defaulting(to: [:]),
                "sidecar": .object(
                    "Each sidecar.",
                    [
                        "resources": TodoApp.Resources.schema(
                            "Processor and memory of each sidecar. Without it: requests of 50m and 64Mi."),
                        "logLevel": .choice("What it logs.", TodoApp.Dapr.LogLevel.self).defaulting(to: "info"),
                    ]
                ).defaulting(to: [:]),
            ]
        ).defaulting(to: [:])
    }
}
