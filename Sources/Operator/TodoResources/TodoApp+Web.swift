internal import StructuredData

extension TodoApp {
    /// How people reach the installation.
    public struct Web: Sendable, Equatable, Codable {
        public var url: String?
        public var host: String?
        public var ingress: Ingress?
        public var gateway: Gateway?

        /// The address that people use; nil where only the cluster reaches it.
        public var address: String? {
            if let url { return url }
            let isPlain =
                ingress.map { $0.tlsSecretName == nil && $0.clusterIssuer == nil && $0.issuer == nil } ?? false
            return host.map { "\(isPlain ? "http" : "https")://\($0)" }
        }
    }

    public struct Ingress: Sendable, Equatable, Codable {
        public var className: String?
        public var tlsSecretName: String?
        public var clusterIssuer: String?
        public var issuer: String?
        public var annotations: [String: String]?
    }

    public struct Gateway: Sendable, Equatable, Codable {
        public var parentRefs: [ParentReference]
    }

    /// A Gateway, or one of its listeners.
    public struct ParentReference: Sendable, Equatable, Codable {
        public var name: String
        public var namespace: String?
        public var sectionName: String?
    }
}

extension TodoApp.Web {
    static var schema: SchemaBuilder {
        .object(
            "How people reach the installation.",
            [
                "url": .string(
                    """
                    The address of the web page, such as https://todo.example.com. Links in messages begin with it; without \
                    it they lead to https://HOST (http with an ingress without TLS), and without host to the Service of the \
                    API, which only the cluster reaches. Needed beside host where people use another port or name.
                    """, form: .webAddress, length: 8...2048),
                "host": .string(
                    """
                    The name by which people reach the installation, such as todo.example.com. With ingress or gateway an \
                    Ingress or HTTPRoute brings it here; with neither of them that is others' to do: /v1/stream goes to port \
                    8080 of the Service NAME-realtime, everything else to that of NAME-api.
                    """, form: .webHost, length: 1...253),
                "ingress": TodoApp.Ingress.schema,
                "gateway": TodoApp.Gateway.schema,
            ]
        )
        .rule(
            "!has(self.ingress) || !has(self.gateway)",
            "at most one of web.ingress and web.gateway: an installation has one edge"
        )
        .rule(
            "has(self.host) || (!has(self.ingress) && !has(self.gateway))",
            "web.ingress and web.gateway need web.host, the name that they bring here"
        )
        .rule(
            #"!has(self.host) || !has(self.ingress) && !has(self.gateway) || !self.host.matches('^[0-9]+(\\.[0-9]+){3}$')"#,
            "web.host must be a DNS name where web.ingress or web.gateway brings it here, and no IP address"
        )
        .defaulting(to: [:])
    }
}

extension TodoApp.Ingress {
    static var schema: SchemaBuilder {
        .object(
            "An Ingress for host. WebSockets need nothing special: the server says something every 30 seconds.",
            [
                "className": .string(
                    "The IngressClass; else the default one of the cluster.",
                    form: .objectName, length: 1...253),
                "tlsSecretName": .string(
                    """
                    The Secret, in the namespace of this object, with the certificate of host. With an issuer it is made, and \
                    is NAME-web-tls unless named; with neither there is no TLS.
                    """, form: .objectName, length: 1...253),
                "clusterIssuer": .string(
                    "The ClusterIssuer of cert-manager that makes the certificate.",
                    form: .objectName, length: 1...253),
                "issuer": .string(
                    "The Issuer of cert-manager, in the namespace of this object, that makes the certificate.",
                    form: .objectName, length: 1...253),
                "annotations": .map(
                    "What the ingress controller is to be told besides.", of: .string("The value of an annotation.")),
            ]
        ).rule(
            "!has(self.issuer) || !has(self.clusterIssuer)",
            "at most one of ingress.issuer and ingress.clusterIssuer")
    }
}

extension TodoApp.Gateway {
    static var schema: SchemaBuilder {
        .object(
            "An HTTPRoute (Gateway API v1) for host. TLS is the listener's: where it has none, set web.url.",
            required: ["parentRefs"],
            [
                "parentRefs": .atomicList(
                    "The Gateways that the route is for.",
                    of: .object(
                        "A Gateway.", required: ["name"],
                        [
                            "name": .string(
                                "Its name.", form: .objectName, length: 1...253),
                            "namespace": .string(
                                "Its namespace; else that of this object.", form: .namespace,
                                length: 1...63),
                            "sectionName": .string(
                                "One of its listeners; else all that take the host.",
                                form: .objectName, length: 1...253),
                        ]), count: 1...32)
            ])
    }
}
