internal import KubernetesSchema
internal import StructuredData

struct IngressStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { _ in }
        object.withObject("status") { $0.setDefault("loadBalancer", [:]) }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        if spec["rules"].isEmptyValue, spec["defaultBackend"] == nil {
            faults.invalid("spec", .array([]), "either `defaultBackend` or `rules` must be specified")
        }
        if let backend = spec["defaultBackend"] { checkBackend(backend, "spec.defaultBackend", &faults) }
        if let name = spec["ingressClassName"]?.string {
            faults.invalid("spec.ingressClassName", .string(name), Validators.dnsSubdomain(name))
        }
        for (index, rule) in spec["rules"].elements.enumerated() { checkRule(rule, "spec.rules[\(index)]", &faults) }
        for (index, tls) in spec["tls"].elements.enumerated() {
            for (place, host) in tls["hosts"].elements.enumerated() {
                checkHost(host.string ?? "", "spec.tls[\(index)].hosts[\(place)]", &faults)
            }
        }
        return faults.errors
    }

    private func checkRule(_ rule: JSON, _ field: String, _ faults: inout Faults) {
        if let host = rule["host"]?.string, !host.isEmpty { checkHost(host, "\(field).host", &faults) }
        guard let http = rule["http"] else { return }
        if http["paths"].isEmptyValue { faults.required("\(field).http.paths") }
        for (index, path) in http["paths"].elements.enumerated() {
            let place = "\(field).http.paths[\(index)]"
            let kinds = ["Exact", "ImplementationSpecific", "Prefix"]
            if path["pathType"] == nil {
                faults.required("\(place).pathType", "pathType must be specified")
            } else if !kinds.contains(path["pathType"].text) {
                faults.notSupported("\(place).pathType", path["pathType"], kinds)
            } else if path["pathType"].text != "ImplementationSpecific" || !path["path"].isEmptyValue,
                path["path"].text.first != "/"
            {
                faults.invalid("\(place).path", path["path"] ?? "", "must be an absolute path")
            }
            checkBackend(path["backend"] ?? [:], "\(place).backend", &faults)
        }
    }

    private func checkHost(_ host: String, _ field: String, _ faults: inout Faults) {
        let checked = host.hasPrefix("*.") ? String(host.dropFirst(2)) : host
        faults.invalid(field, .string(host), Validators.dnsSubdomain(checked))
    }

    private func checkBackend(_ backend: JSON, _ field: String, _ faults: inout Faults) {
        guard let service = backend["service"] else {
            if backend["resource"] == nil {
                faults.required(field, "resource or service backend is required")
            }
            return
        }
        if backend["resource"] != nil {
            faults.invalid(field, "", "cannot set both resource and service backends")
        }
        let name = service["name"].text
        if name.isEmpty {
            faults.required("\(field).service.name")
        } else {
            faults.invalid("\(field).service.name", .string(name), Validators.dns1035Label(name))
        }
        let port = service["port"]
        if port?["number"] != nil, !(port?["name"]).isEmptyValue {
            faults.invalid(field, "", "cannot set both port name & port number")
        } else if let number = port?["number"]?.int {
            faults.invalid("\(field).service.port.number", JSON(number), Validators.portNumber(number))
        } else if (port?["name"]).isEmptyValue {
            faults.required(field, "port name or number is required")
        }
    }
}

struct IngressClassStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.with("spec") { spec in spec.with("parameters") { $0.setDefault("scope", "Cluster") } }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        if let old {
            faults.immutable("spec.controller", new: object.at("spec", "controller"), old: old.at("spec", "controller"))
        }
        return faults.errors
    }
}

struct NetworkPolicyStrategy: ResourceStrategy {
    var generation: GenerationRule { .spec }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            if spec["podSelector"] == nil { spec["podSelector"] = [:] }
            if spec["policyTypes"].isEmptyValue {
                spec["policyTypes"] = spec["egress"].isEmptyValue ? ["Ingress"] : ["Ingress", "Egress"]
            }
            for key in ["ingress", "egress"] {
                spec.forEach(key) { rule in rule.forEach("ports") { $0.setDefault("protocol", "TCP") } }
            }
        }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        WorkloadRules.checkLabelSelector(spec["podSelector"] ?? [:], "spec.podSelector", &faults)
        for (index, type) in spec["policyTypes"].elements.enumerated() {
            faults.oneOf("spec.policyTypes[\(index)]", type, ["Egress", "Ingress"])
        }
        for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
            for (index, rule) in spec[direction].elements.enumerated() {
                let field = "spec.\(direction)[\(index)]"
                for (place, port) in rule["ports"].elements.enumerated() {
                    checkPort(port, "\(field).ports[\(place)]", &faults)
                }
                for (place, peer) in rule[peers].elements.enumerated() {
                    checkPeer(peer, "\(field).\(peers)[\(place)]", &faults)
                }
            }
        }
        return faults.errors
    }

    private func checkPort(_ port: JSON, _ field: String, _ faults: inout Faults) {
        faults.oneOf("\(field).protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
        guard let value = port["port"] else { return }
        if let number = value.int {
            faults.invalid("\(field).port", value, Validators.portNumber(number))
        } else if let name = value.string {
            faults.invalid("\(field).port", value, Validators.portName(name))
        }
    }

    private func checkPeer(_ peer: JSON, _ field: String, _ faults: inout Faults) {
        let hasSelector = peer["podSelector"] != nil || peer["namespaceSelector"] != nil
        if !hasSelector, peer["ipBlock"] == nil {
            faults.required(field, "must specify a peer")
        } else if hasSelector, peer["ipBlock"] != nil {
            faults.forbidden(field, "may not specify both ipBlock and another peer")
        }
        for key in ["podSelector", "namespaceSelector"] {
            if let selector = peer[key] { WorkloadRules.checkLabelSelector(selector, "\(field).\(key)", &faults) }
        }
    }
}
