internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData
internal import TodoResources

/// Brings people's requests to an app, and finds out whether they arrive.
struct EdgePass {
    let app: TodoApp
    let context: ReconcileContext

    /// Nil when nothing is asked for.
    func run(_ children: inout ChildWriter) async throws -> AppObservation.Area? {
        let objects = EdgeObjects(app).all
        guard !objects.isEmpty else { return nil }
        if app.spec.web.gateway != nil,
            let absence = context.absence(
                of: [DesiredState.routeType],
                remedy:
                    "install the Gateway API 1.2 or later (https://gateway-api.sigs.k8s.io), or use spec.web.ingress")
        {
            children.keep(objects)
            return .notReady(.gatewayAPINotInstalled, absence)
        }
        let problems = try await children.tryApply(objects)
        guard problems.isEmpty else { return .notReady(.applyFailed, problems.joined(separator: "; ")) }
        let name = AppNames(app).edge
        func find(_ type: ResourceType) -> JSON? {
            context.store(type)?.get(namespace: app.metadata.namespace, name: name)?.json
        }
        if let gateway = app.spec.web.gateway {
            return Self.judge(find(DesiredState.routeType), named: name, for: gateway, in: app.metadata.namespace)
        }
        return Self.judge(find(DesiredState.ingressType), named: name, className: app.spec.web.ingress?.className)
    }

    /// An Ingress says nothing but where it is reached.
    static func judge(_ ingress: JSON?, named name: String, className: String?) -> AppObservation.Area {
        let addresses = (ingress?.at("status", "loadBalancer", "ingress")?.array ?? []).compactMap {
            $0["hostname"]?.string ?? $0["ip"]?.string
        }
        guard let address = addresses.first else {
            let controller =
                className.map { "of class \($0)" } ?? "of the default class (spec.web.ingress has no className)"
            return .notReady(
                .waitingForIngress,
                "Ingress \(name): waiting for the ingress controller \(controller) to give it an address")
        }
        return .ready(.ingressReady, "Ingress \(name) is reached at \(address)")
    }

    /// The first Gateway that refuses the route, in its words; else the first that has not taken it yet.
    static func judge(
        _ route: JSON?, named name: String, for gateway: TodoApp.Gateway, in namespace: String
    ) -> AppObservation.Area {
        let generation = route?.at("metadata", "generation")?.int
        let answers = route?.at("status", "parents")?.array ?? []
        var waiting: String?
        for parent in gateway.parentRefs {
            let place = "\(parent.namespace ?? namespace)/\(parent.name)"
            let conditions = answers.filter { parent.isMeant(by: $0["parentRef"], in: namespace) }
                .flatMap { $0["conditions"]?.array ?? [] }
                .filter { $0["observedGeneration"]?.int.map { $0 == generation } ?? true }
            func find(_ type: String, _ status: String) -> JSON? {
                conditions.first { $0["type"]?.string == type && $0["status"]?.string == status }
            }
            if let refusal = find("Accepted", "False") ?? find("ResolvedRefs", "False") {
                let words = ["reason", "message"].compactMap { refusal[$0]?.string }.filter { !$0.isEmpty }
                return .notReady(
                    .routeRefused, "HTTPRoute \(name), Gateway \(place): \(words.joined(separator: ": "))")
            }
            if find("Accepted", "True") == nil { waiting = waiting ?? place }
        }
        if let waiting {
            return .notReady(
                .waitingForGateway,
                "HTTPRoute \(name): waiting for Gateway \(waiting) to take it; see whether it exists and its controller runs"
            )
        }
        return .ready(.routeAccepted, "HTTPRoute \(name) is taken by every Gateway that it names")
    }
}

extension TodoApp.ParentReference {
    /// Whether the answer of a Gateway is about this.
    fileprivate func isMeant(by reference: JSON?, in own: String) -> Bool {
        reference?["name"]?.string == name && (reference?["namespace"]?.string ?? own) == namespace ?? own
            && reference?["sectionName"]?.string == sectionName
    }
}

extension Predicate {
    /// Of an object whose status others write: they say something else.
    static let statusChanged = Predicate { change in
        change.old?.object.json["status"] != change.new?.object.json["status"]
    }
}
