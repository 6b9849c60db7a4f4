internal import KubernetesSchema
internal import StructuredData

struct ServiceStrategy: ResourceStrategy {
    var nameRule: NameRule { .serviceLabel }
    var allowsCreateOnUpdate: Bool { true }

    func applyDefaults(_ object: inout JSON) {
        object.withObject("spec") { spec in
            spec.setDefault("sessionAffinity", "None")
            if spec["sessionAffinity"].text == "None" { spec["sessionAffinityConfig"] = nil }
            if spec["sessionAffinity"].text == "ClientIP" {
                spec.withObject("sessionAffinityConfig") { config in
                    config.withObject("clientIP") { $0.setDefault("timeoutSeconds", 10_800) }
                }
            }
            spec.setDefault("type", "ClusterIP")
            spec.forEach("ports") { port in
                port.setDefault("protocol", "TCP")
                let target = port["targetPort"]
                if target.isEmptyValue || target?.int == 0 { port["targetPort"] = port["port"] }
            }
            let type = spec["type"].text
            let isExternal = type == "NodePort" || type == "LoadBalancer"
            if isExternal || (type == "ClusterIP" && !spec["externalIPs"].isEmptyValue) {
                spec.setDefault("externalTrafficPolicy", "Cluster")
            }
            if isExternal || type == "ClusterIP" { spec.setDefault("internalTrafficPolicy", "Cluster") }
            if type == "LoadBalancer" { spec.setDefault("allocateLoadBalancerNodePorts", true) }
        }
        object.withObject("status") { $0.setDefault("loadBalancer", [:]) }
    }

    func prepareForCreate(_ object: inout JSON, context: WriteContext) -> [FieldError] {
        allocate(&object, old: nil, addresses: context.addresses)
    }

    func prepareForUpdate(
        _ object: inout JSON, old: JSON, subresource: String?, context: WriteContext
    ) -> [FieldError] {
        guard subresource == nil else { return [] }
        let errors = allocate(&object, old: old, addresses: context.addresses)
        releaseUnused(object["spec"] ?? [:], old: old["spec"] ?? [:], addresses: context.addresses)
        return errors
    }

    private func releaseUnused(_ spec: JSON, old: JSON, addresses: any ServiceAddressAllocator) {
        let address = old["clusterIP"].text
        if !address.isEmpty, address != "None", spec["clusterIP"].isEmptyValue { addresses.release(clusterIP: address) }
        let ports = Set(spec["ports"].elements.compactMap { $0["nodePort"]?.int })
        for port in old["ports"].elements.compactMap({ $0["nodePort"]?.int }) where !ports.contains(port) {
            addresses.release(nodePort: port)
        }
    }

    /// Gives the service its cluster IP and node ports; those that it has already stay.
    private func allocate(
        _ object: inout JSON, old: JSON?, addresses: any ServiceAddressAllocator
    ) -> [FieldError] {
        var faults = Faults()
        let oldSpec = old?["spec"]
        object.withObject("spec") { spec in
            let type = spec["type"].text
            guard type != "ExternalName" else {
                for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] { spec[key] = nil }
                spec.forEach("ports") { $0["nodePort"] = nil }
                return
            }
            for key in ["clusterIP", "clusterIPs"]
            where spec[key].isEmptyValue && oldSpec?["type"].text != "ExternalName" {
                spec[key] = oldSpec?[key]
            }
            allocateClusterIP(&spec, old: oldSpec, addresses, &faults)
            if spec["clusterIP"].text != "None" || !spec["selector"].isEmptyValue {
                spec.setDefault("ipFamilies", ["IPv4"])
                spec.setDefault("ipFamilyPolicy", "SingleStack")
            } else {
                spec.setDefault("ipFamilies", ["IPv4", "IPv6"])
                spec.setDefault("ipFamilyPolicy", "RequireDualStack")
            }
            let needsPorts =
                type == "NodePort"
                || (type == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"]?.bool != false)
            allocateNodePorts(&spec, old: oldSpec, isNeeded: needsPorts, addresses, &faults)
        }
        return faults.errors
    }

    private func allocateClusterIP(
        _ spec: inout JSON, old: JSON?, _ addresses: any ServiceAddressAllocator, _ faults: inout Faults
    ) {
        if spec["clusterIP"].isEmptyValue, let first = spec["clusterIPs"]?[0] { spec["clusterIP"] = first }
        let requested = spec["clusterIP"].text
        // A change is refused by validation; to ask for the address as well would be a second error.
        if let old, !Self.mayChangeAddress(spec, old: old), requested != old["clusterIP"].text {
            spec["clusterIPs"] = .array([.string(requested)])
            return
        }
        if requested != "None", requested.isEmpty || requested != old?["clusterIP"].text {
            do throws(AddressError) {
                spec["clusterIP"] = .string(
                    try addresses.allocateClusterIP(requested: requested.isEmpty ? nil : requested))
            } catch {
                faults.invalid(
                    "spec.clusterIPs", .array([.string(requested)]),
                    "failed to allocate IP \(requested): \(error.message)")
            }
        }
        if spec["clusterIPs"].isEmptyValue, let address = spec["clusterIP"] { spec["clusterIPs"] = .array([address]) }
    }

    private func allocateNodePorts(
        _ spec: inout JSON, old: JSON?, isNeeded: Bool, _ addresses: any ServiceAddressAllocator,
        _ faults: inout Faults
    ) {
        let known = old?["ports"].elements ?? []
        var errors = Faults()
        var index = 0
        spec.forEach("ports") { port in
            defer { index += 1 }
            guard isNeeded else {
                port["nodePort"] = nil
                return
            }
            let same = known.first {
                $0["port"] == port["port"] && $0["protocol"] == port["protocol"] && $0["nodePort"] != nil
            }
            let requested = port["nodePort"]?.int ?? 0
            if requested == 0, let kept = same?["nodePort"] {
                port["nodePort"] = kept
            } else if requested == 0 || !known.contains(where: { $0["nodePort"]?.int == requested }) {
                do throws(AddressError) {
                    port["nodePort"] = JSON(
                        try addresses.allocateNodePort(requested: requested == 0 ? nil : requested))
                } catch {
                    errors.invalid("spec.ports[\(index)].nodePort", JSON(requested), error.message)
                }
            }
        }
        faults.add(errors.errors)
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        guard subresource == nil else { return [] }
        var faults = Faults()
        let spec = object["spec"] ?? [:]
        let type = spec["type"].text
        faults.oneOf("spec.type", spec["type"], ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])
        faults.oneOf("spec.sessionAffinity", spec["sessionAffinity"], ["ClientIP", "None"])
        ObjectMetadata.checkLabels(spec["selector"], "spec.selector", &faults)
        let ports = spec["ports"].elements
        if type == "ExternalName" {
            let name = spec["externalName"].text
            if name.isEmpty {
                faults.required("spec.externalName")
            } else {
                faults.invalid("spec.externalName", .string(name), Validators.dnsSubdomain(name))
            }
        } else if ports.isEmpty, spec["clusterIP"].text != "None" {
            faults.required("spec.ports")
        }
        checkPorts(ports, &faults)
        if let oldSpec = old?["spec"], !Self.mayChangeAddress(spec, old: oldSpec),
            spec["clusterIP"] != oldSpec["clusterIP"]
        {
            faults.invalid("spec.clusterIPs[0]", .array([spec["clusterIP"] ?? ""]), "may not change once set")
        }
        return faults.errors
    }

    /// An address is given once; only a service that has none yet, or is about to have none, may change it.
    private static func mayChangeAddress(_ spec: JSON, old: JSON) -> Bool {
        spec["type"].text == "ExternalName" || old["type"].text == "ExternalName" || old["clusterIP"].isEmptyValue
    }

    private func checkPorts(_ ports: [JSON], _ faults: inout Faults) {
        var names: Set<String> = []
        var seen: Set<JSON> = []
        for (index, port) in ports.enumerated() {
            let field = "spec.ports[\(index)]"
            let name = port["name"].text
            if name.isEmpty {
                if ports.count > 1 { faults.required("\(field).name") }
            } else {
                faults.invalid("\(field).name", .string(name), Validators.dnsLabel(name))
                if !names.insert(name).inserted { faults.duplicate("\(field).name", .string(name)) }
            }
            let number = port["port"]?.int ?? 0
            faults.invalid("\(field).port", JSON(number), Validators.portNumber(number))
            faults.oneOf("\(field).protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
            if let target = port["targetPort"] {
                if let number = target.int {
                    faults.invalid("\(field).targetPort", target, Validators.portNumber(number))
                } else if let name = target.string {
                    faults.invalid("\(field).targetPort", target, Validators.portName(name))
                }
            }
            let key: JSON = .array([port["port"] ?? .null, port["protocol"] ?? .null])
            if !seen.insert(key).inserted { faults.duplicate(field, port) }
        }
    }
}
