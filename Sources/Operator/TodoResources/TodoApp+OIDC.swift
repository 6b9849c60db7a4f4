internal import StructuredData

extension TodoApp {
    /// An OpenID Connect provider whose tokens the API takes.
    public struct OIDC: Sendable, Equatable, Codable {
        public var issuer: String
        public var audience: String
        public var caSecretRef: SecretKeyReference?
    }
}

extension TodoApp.OIDC {
    static var schema: SchemaBuilder {
        .object(
            """
            An OpenID Connect provider whose tokens open an account, besides those of the installation's own. A token needs \
            the claims sub, email and email_verified; name is taken where it is there.
            """, required: ["issuer", "audience"],
            [
                "issuer": .string(
                    "The issuer as its tokens name it; its keys are found below it (OpenID Connect Discovery).",
                    form: .issuer, length: 9...2048),
                "audience": .string(
                    "Whom the tokens must be for: mostly the client id.", form: .word, length: 1...2048),
                "caSecretRef": .object(
                    """
                    The Secret, in the namespace of this object, with the certificate authorities (PEM) that the provider's \
                    certificate is held against; else those of the system.
                    """, required: ["name"],
                    [
                        "name": .secretName,
                        "key": .string("Its key.", form: .secretKey, length: 1...253)
                            .defaulting(to: "ca.crt"),
                    ]),
            ])
    }
}
