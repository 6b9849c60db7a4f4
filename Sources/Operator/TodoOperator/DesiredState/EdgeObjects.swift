internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// What brings people's requests for the host of an app here: an Ingress or an HTTPRoute (contracts, section 6).
///
/// The live connection goes to the realtime service past the API: the API passes one on only where it is the first
/// request of its connection, and a proxy takes a connection for many.
struct EdgeObjects {
    /// Of the live connection (`GET`, then a WebSocket).
    private static let streamPath = "/v1/stream"
    private static let issuerAnnotation = "cert-manager.io/issuer"
    private static let clusterIssuerAnnotation = "cert-manager.io/cluster-issuer"

    let app: TodoApp
    let names: AppNames

    init(_ app: TodoApp) {
        self.app = app
        names = AppNames(app)
    }

    /// At most one.
    var all: [JSON] {
        guard let host = app.spec.web.host else { return [] }
        if let ingress = app.spec.web.ingress { return [object(ingress, host)] }
        return app.spec.web.gateway.map { [route($0, host)] } ?? []
    }

    private var metadata: JSON { DesiredState.metadata(of: app, name: names.edge, component: "web") }

    private func object(_ ingress: TodoApp.Ingress, _ host: String) -> JSON {
        var annotations = ingress.annotations ?? [:]
        annotations[Self.issuerAnnotation] = ingress.issuer ?? annotations[Self.issuerAnnotation]
        annotations[Self.clusterIssuerAnnotation] = ingress.clusterIssuer ?? annotations[Self.clusterIssuerAnnotation]
        var metadata = metadata
        if !annotations.isEmpty { metadata["annotations"] = JSON(annotations) }
        var spec: JSON = [
            "rules": [
                [
                    "host": .string(host),
                    "http": [
                        "paths": [path("Exact", Self.streamPath, to: .realtime), path("Prefix", "/", to: .api)]
                    ],
                ]
            ]
        ]
        spec["ingressClassName"] = ingress.className.map(JSON.string)
        if let secret = names.certificate(for: ingress) {
            spec["tls"] = [["hosts": [.string(host)], "secretName": .string(secret)]]
        }
        return [
            "apiVersion": .string(DesiredState.ingressType.apiVersion), "kind": "Ingress", "metadata": metadata,
            "spec": spec,
        ]
    }

    private func path(_ type: String, _ path: String, to service: TodoApp.ServiceName) -> JSON {
        [
            "backend": ["service": ["name": .string(names.service(service)), "port": ["name": "http"]]],
            "path": .string(path), "pathType": .string(type),
        ]
    }

    private func route(_ gateway: TodoApp.Gateway, _ host: String) -> JSON {
        let parents = gateway.parentRefs.map { reference in
            var parent: JSON = ["name": .string(reference.name)]
            parent["namespace"] = reference.namespace.map(JSON.string)
            parent["sectionName"] = reference.sectionName.map(JSON.string)
            return parent
        }
        var stream = rule("Exact", Self.streamPath, to: .realtime)
        // It lasts as long as the page is open: no limit (GEP-1742).
        stream["timeouts"] = ["request": "0s"]
        return [
            "apiVersion": .string(DesiredState.routeType.apiVersion), "kind": "HTTPRoute", "metadata": metadata,
            "spec": [
                "hostnames": [.string(host)], "parentRefs": .array(parents),
                "rules": [stream, rule("PathPrefix", "/", to: .api)],
            ],
        ]
    }

    private func rule(_ type: String, _ path: String, to service: TodoApp.ServiceName) -> JSON {
        [
            "backendRefs": [["name": .string(names.service(service)), "port": JSON(DesiredState.port)]],
            "matches": [["path": ["type": .string(type), "value": .string(path)]]],
        ]
    }
}

extension AppNames {
    /// The Ingress or HTTPRoute.
    var edge: String { "\(app)-web" }

    /// The Secret with the certificate; nil without TLS.
    func certificate(for ingress: TodoApp.Ingress) -> String? {
        ingress.tlsSecretName ?? (ingress.issuer != nil || ingress.clusterIssuer != nil ? "\(edge)-tls" : nil)
    }
}

extension DesiredState {
    /// How people's requests get here: the first every cluster has, the second is the Gateway API's.
    static let edgeTypes = [ingressType, routeType]

    static let ingressType = ResourceType(
        group: "networking.k8s.io", version: "v1", kind: "Ingress", plural: "ingresses")
    static let routeType = ResourceType(
        group: "gateway.networking.k8s.io", version: "v1", kind: "HTTPRoute", plural: "httproutes")
}
