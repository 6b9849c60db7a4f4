internal import StructuredData

/// A container of a pod, as far as this node honours it.
struct ContainerSpec: Sendable, Equatable {
    let name: String
    let isInit: Bool
    let json: JSON
    let probes: [ProbeKind: Probe]

    init(_ json: JSON, isInit: Bool) {
        name = json["name"]?.string ?? ""
        self.isInit = isInit
        self.json = json
        var probes: [ProbeKind: Probe] = [:]
        for kind in ProbeKind.allCases where !isInit {
            guard let probe = json["\(kind.rawValue)Probe"] else { continue }
            probes[kind] = Probe(probe, ports: json["ports"]?.array ?? [])
        }
        self.probes = probes
    }

    var image: String { json["image"]?.string ?? "" }
    var mounts: [JSON] { json["volumeMounts"]?.array ?? [] }

    static func all(of pod: JSON) -> [ContainerSpec] {
        let initial = pod.at("spec", "initContainers")?.array ?? []
        let main = pod.at("spec", "containers")?.array ?? []
        return initial.map { ContainerSpec($0, isInit: true) } + main.map { ContainerSpec($0, isInit: false) }
    }
}

enum ProbeKind: String, Sendable, CaseIterable {
    case startup, liveness, readiness

    /// As Events call it.
    var title: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}

/// How and when a container is asked for its health.
struct Probe: Sendable, Equatable {
    enum Check: Sendable, Equatable {
        /// `host` nil is the pod's address.
        case http(scheme: String, host: String?, port: Int, path: String, headers: [String: String])
        case tcp(host: String?, port: Int)
        case unsupported(String)
    }

    let check: Check
    let initialDelay: Duration
    let period: Duration
    let timeout: Duration
    let successThreshold: Int
    let failureThreshold: Int
    let gracePeriod: Duration?

    init(_ json: JSON, ports: [JSON]) {
        func seconds(_ key: String, _ fallback: Int) -> Duration { .seconds(json[key]?.int ?? fallback) }
        check = Self.check(json, ports: ports)
        initialDelay = seconds("initialDelaySeconds", 0)
        period = max(.seconds(1), seconds("periodSeconds", 10))
        timeout = max(.seconds(1), seconds("timeoutSeconds", 1))
        successThreshold = max(1, json["successThreshold"]?.int ?? 1)
        failureThreshold = max(1, json["failureThreshold"]?.int ?? 3)
        gracePeriod = json["terminationGracePeriodSeconds"]?.int.map { .seconds($0) }
    }

    private static func check(_ json: JSON, ports: [JSON]) -> Check {
        func port(_ value: JSON?) -> Int? {
            if let number = value?.int { return number }
            guard let name = value?.string else { return nil }
            if let number = Int(name) { return number }
            return ports.first { $0["name"]?.string == name }?["containerPort"]?.int
        }
        if let get = json["httpGet"] {
            guard let port = port(get["port"]) else { return .unsupported("httpGet.port names no container port") }
            var headers: [String: String] = [:]
            for header in get["httpHeaders"]?.array ?? [] {
                if let name = header["name"]?.string { headers[name] = header["value"]?.string ?? "" }
            }
            let path = get["path"]?.string ?? "/"
            return .http(
                scheme: (get["scheme"]?.string ?? "HTTP").lowercased(),
                host: get["host"]?.string.flatMap { $0.isEmpty ? nil : $0 }, port: port,
                path: path.hasPrefix("/") ? path : "/" + path, headers: headers)
        }
        if let socket = json["tcpSocket"] {
            guard let port = port(socket["port"]) else { return .unsupported("tcpSocket.port names no container port") }
            return .tcp(host: socket["host"]?.string.flatMap { $0.isEmpty ? nil : $0 }, port: port)
        }
        return .unsupported(
            json["exec"] != nil
                ? "exec probes are not supported: use httpGet or tcpSocket"
                : "only httpGet and tcpSocket probes are supported")
    }
}
