internal import ControllerRuntime
internal import KubernetesClient
internal import StructuredData

/// A port of a Service.
struct ServicePort: Sendable, Hashable {
    let namespace: String
    let service: String
    let port: Int
}

/// Where a process listens.
struct SocketAddressText: Sendable, Hashable, CustomStringConvertible {
    let host: String
    let port: Int
    var description: String { "\(host):\(port)" }
}

/// What the proxy reads out of Services and EndpointSlices.
enum ServiceBackends {
    /// The addresses on which the proxy is to listen, and for which port of which Service.
    static func listeners(_ services: [KubernetesObject]) -> [SocketAddressText: ServicePort] {
        var result: [SocketAddressText: ServicePort] = [:]
        for service in services {
            guard let host = service.spec?["clusterIP"]?.string, PodAddresses.parse(host) != nil, host.hasPrefix("127.")
            else { continue }
            for port in service.spec?["ports"]?.array ?? [] {
                guard port["protocol"]?.string ?? "TCP" == "TCP", let number = port["port"]?.int else { continue }
                result[SocketAddressText(host: host, port: number)] = ServicePort(
                    namespace: service.namespace ?? "", service: service.name, port: number)
            }
        }
        return result
    }

    /// The ready endpoints of a Service's port; those that are on their way out but still serve when there are none.
    static func endpoints(_ slices: [KubernetesObject], portName: String) -> [SocketAddressText] {
        var ready: [SocketAddressText] = []
        var terminating: [SocketAddressText] = []
        for slice in slices {
            let ports = slice.json["ports"]?.array ?? []
            guard let port = ports.first(where: { $0["name"]?.string ?? "" == portName })?["port"]?.int else {
                continue
            }
            for endpoint in slice.json["endpoints"]?.array ?? [] {
                guard let host = endpoint["addresses"]?[0]?.string else { continue }
                let address = SocketAddressText(host: host, port: port)
                if endpoint.at("conditions", "ready")?.bool ?? true {
                    ready.append(address)
                } else if endpoint.at("conditions", "serving")?.bool == true {
                    terminating.append(address)
                }
            }
        }
        return ready.isEmpty ? terminating : ready
    }

    static func endpoints(of target: ServicePort, services: Store, slices: Store) -> [SocketAddressText] {
        guard let service = services.get(namespace: target.namespace, name: target.service),
            let port = service.spec?["ports"]?.array?.first(where: { $0["port"]?.int == target.port })
        else { return [] }
        let own = slices.list(index: "label:\(EndpointRules.serviceLabel)", value: target.service)
            .filter { $0.key.namespace == target.namespace }.map(\.object)
        return endpoints(own, portName: port["name"]?.string ?? "")
    }
}
