internal import StructuredData

extension TodoApp.Workers {
    static var schema: SchemaBuilder {
        .object(
            "What makes the next instances of recurring tasks and fires reminders.",
            [
                "placement": .choice(
                    "Embedded: inside the operator. Dedicated: in pods of this installation's own.",
                    TodoApp.WorkerPlacement.self
                ).defaulting(to: "Embedded"),
                "replicas": .integer(
                    "How many pods there are where placement is Dedicated. One works, the others stand by.", in: 0...100
                ).defaulting(to: 2),
                "resources": TodoApp.Resources.schema,
            ]
        ).withPodSettings.defaulting(to: [:])
    }
}

extension TodoApp.Notifications {
    static var schema: SchemaBuilder {
        .object(
            "How reminders reach people who are not looking at the page.",
            [
                "email": .object(
                    "The mail server. Without it nobody can be reminded by e-mail.", required: ["host", "from"],
                    [
                        "host": .string("The name of the SMTP server.", form: .mailServer, length: 1...253),
                        "port": .integer("Its port. Without it: 587, or 465 with implicit TLS.", in: 1...65535),
                        "tls": .choice(
                            """
                            StartTLS: the connection is encrypted before anything is said, or nothing is sent. Implicit: TLS \
                            from the first byte, mostly on port 465. None: no encryption, for a server in the same pod \
                            network.
                            """, TodoApp.MailTLS.self
                        ).defaulting(to: "StartTLS"),
                        "from": .string(
                            "The address that messages come from, such as todo@example.com.",
                            form: .mailAddress, length: 3...254),
                        "secretRef": .object(
                            """
                            The Secret, in the namespace of this object, with the keys username and password of the mail \
                            server. Without it nobody logs in.
                            """, required: ["name"],
                            [
                                "name": .secretName
                            ]),
                    ]
                ).rule(
                    "!has(self.secretRef) || self.tls != 'None'",
                    "email.secretRef needs tls StartTLS or Implicit: a password is not sent in the clear"),
                "webhooks": .object(
                    "Limits of the addresses that people may have reminders sent to.",
                    [
                        "allowedNetworks": .set(
                            """
                            Networks in CIDR form, such as 10.1.0.0/16, that webhooks may reach although they are private. \
                            Public addresses always may; all others never.
                            """,
                            of: .string(
                                "A network.", form: .network, length: 3...43), count: 0...32)
                    ]
                ).defaulting(to: [:]),
            ]
        ).defaulting(to: [:])
    }
}
