internal import KubernetesSchema
internal import StructuredData

/// The faults of a pod's spec, in the words of Kubernetes' `core/validation`.
struct PodValidation {
    private let spec: JSON
    private let field: String
    private var faults = Faults()
    private let volumeNames: Set<String>

    /// - Parameter field: the path of the spec: `spec`, `spec.template.spec`.
    static func faults(of spec: JSON?, at field: String) -> [FieldError] {
        var validation = PodValidation(spec: spec ?? [:], field: field)
        validation.check()
        return validation.faults.errors
    }

    private init(spec: JSON, field: String) {
        self.spec = spec
        self.field = field
        volumeNames = Set(spec["volumes"].elements.map { $0["name"].text })
    }

    private mutating func check() {
        checkVolumes()
        checkContainers()
        faults.oneOf("\(field).restartPolicy", spec["restartPolicy"], ["Always", "OnFailure", "Never"])
        faults.oneOf(
            "\(field).dnsPolicy", spec["dnsPolicy"], ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])
        if let account = spec["serviceAccountName"]?.string, !account.isEmpty {
            faults.invalid("\(field).serviceAccountName", .string(account), Validators.dnsSubdomain(account))
        }
        ObjectMetadata.checkLabels(spec["nodeSelector"], "\(field).nodeSelector", &faults)
        faults.notNegative("\(field).terminationGracePeriodSeconds", spec["terminationGracePeriodSeconds"])
        if spec["activeDeadlineSeconds"] != nil {
            faults.positive("\(field).activeDeadlineSeconds", spec["activeDeadlineSeconds"])
        }
        for (index, constraint) in spec["topologySpreadConstraints"].elements.enumerated() {
            let place = "\(field).topologySpreadConstraints[\(index)]"
            faults.positive("\(place).maxSkew", constraint["maxSkew"])
            if constraint["topologyKey"].isEmptyValue { faults.required("\(place).topologyKey", "can not be empty") }
            faults.oneOf(
                "\(place).whenUnsatisfiable", constraint["whenUnsatisfiable"], ["DoNotSchedule", "ScheduleAnyway"])
        }
    }

    private mutating func checkVolumes() {
        var seen: Set<String> = []
        for (index, volume) in spec["volumes"].elements.enumerated() {
            let place = "\(field).volumes[\(index)]"
            let name = volume["name"].text
            if name.isEmpty {
                faults.required("\(place).name")
            } else {
                faults.invalid("\(place).name", .string(name), Validators.dnsLabel(name))
                if !seen.insert(name).inserted { faults.duplicate("\(place).name", .string(name)) }
            }
            let sources = (volume.object?.keys ?? []).filter { $0 != "name" }
            if sources.count > 1, let extra = sources.dropFirst().first {
                faults.forbidden("\(place).\(extra)", "may not specify more than 1 volume type")
            }
            if let secret = volume["secret"], secret["secretName"].isEmptyValue {
                faults.required("\(place).secret.secretName")
            }
            if let map = volume["configMap"], map["name"].isEmptyValue { faults.required("\(place).configMap.name") }
            if let claim = volume["persistentVolumeClaim"], claim["claimName"].isEmptyValue {
                faults.required("\(place).persistentVolumeClaim.claimName")
            }
        }
    }

    private mutating func checkContainers() {
        var seen: Set<String> = []
        for key in ["containers", "initContainers"] {
            let containers = spec[key].elements
            if key == "containers", containers.isEmpty { faults.required("\(field).containers") }
            for (index, container) in containers.enumerated() {
                let place = "\(field).\(key)[\(index)]"
                checkName(container["name"].text, place, &seen)
                checkContainer(container, place)
            }
        }
    }

    private mutating func checkName(_ name: String, _ place: String, _ seen: inout Set<String>) {
        if name.isEmpty {
            faults.required("\(place).name")
            return
        }
        faults.invalid("\(place).name", .string(name), Validators.dnsLabel(name))
        if !seen.insert(name).inserted { faults.duplicate("\(place).name", .string(name)) }
    }

    private mutating func checkContainer(_ container: JSON, _ place: String) {
        let image = container["image"].text
        if image.isEmpty {
            faults.required("\(place).image")
        } else if image.first == " " || image.last == " " {
            faults.invalid("\(place).image", .string(image), "must not have leading or trailing whitespace")
        }
        faults.oneOf("\(place).imagePullPolicy", container["imagePullPolicy"], ["Always", "IfNotPresent", "Never"])
        checkPorts(container["ports"].elements, "\(place).ports")
        checkEnvironment(container["env"].elements, "\(place).env")
        checkMounts(container["volumeMounts"].elements, "\(place).volumeMounts")
        checkResources(container["resources"], "\(place).resources")
        for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
            guard let probe = container[key] else { continue }
            checkProbe(probe, "\(place).\(key)", mayNeedMoreSuccesses: key == "readinessProbe")
        }
        for key in ["postStart", "preStop"] {
            if let handler = container.at("lifecycle", key) {
                checkHandler(handler, ["exec", "httpGet", "tcpSocket", "sleep"], "\(place).lifecycle.\(key)")
            }
        }
    }

    private mutating func checkPorts(_ ports: [JSON], _ place: String) {
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let place = "\(place)[\(index)]"
            if let name = port["name"]?.string, !name.isEmpty {
                faults.invalid("\(place).name", .string(name), Validators.portName(name))
                if !names.insert(name).inserted { faults.duplicate("\(place).name", .string(name)) }
            }
            let number = port["containerPort"]?.int ?? 0
            if number == 0 {
                faults.required("\(place).containerPort")
            } else {
                faults.invalid("\(place).containerPort", JSON(number), Validators.portNumber(number))
            }
            if let host = port["hostPort"]?.int, host != 0 {
                faults.invalid("\(place).hostPort", JSON(host), Validators.portNumber(host))
            }
            faults.oneOf("\(place).protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
        }
    }

    private mutating func checkEnvironment(_ variables: [JSON], _ place: String) {
        for (index, variable) in variables.enumerated() {
            let place = "\(place)[\(index)]"
            let name = variable["name"].text
            if name.isEmpty {
                faults.required("\(place).name")
            } else {
                faults.invalid("\(place).name", .string(name), Validators.environmentVariableName(name))
            }
            guard let source = variable["valueFrom"] else { continue }
            if !variable["value"].isEmptyValue {
                faults.invalid("\(place).valueFrom", "", "may not be specified when `value` is not empty")
            }
            let sources = source.object?.keys ?? []
            if sources.isEmpty {
                faults.invalid(
                    "\(place).valueFrom", "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or "
                        + "`fileKeyRef`")
            } else if sources.count > 1 {
                faults.invalid("\(place).valueFrom", "", "may not have more than one field specified at a time")
            }
            for key in ["configMapKeyRef", "secretKeyRef"] {
                guard let reference = source[key] else { continue }
                if reference["key"].isEmptyValue { faults.required("\(place).valueFrom.\(key).key") }
            }
        }
    }

    private mutating func checkMounts(_ mounts: [JSON], _ place: String) {
        var paths: Set<String> = []
        for (index, mount) in mounts.enumerated() {
            let place = "\(place)[\(index)]"
            let name = mount["name"].text
            if name.isEmpty {
                faults.required("\(place).name")
            } else if !volumeNames.contains(name) {
                faults.notFound("\(place).name", .string(name))
            }
            let path = mount["mountPath"].text
            if path.isEmpty {
                faults.required("\(place).mountPath")
            } else if !paths.insert(path).inserted {
                faults.invalid("\(place).mountPath", .string(path), "must be unique")
            }
        }
    }

    private mutating func checkResources(_ resources: JSON?, _ place: String) {
        var limits: [String: Quantity] = [:]
        for (name, value) in resources?["limits"]?.object ?? [:] {
            limits[name] = quantity(value, "\(place).limits[\(name)]")
        }
        for (name, value) in resources?["requests"]?.object ?? [:] {
            guard let request = quantity(value, "\(place).requests[\(name)]"), let limit = limits[name] else {
                continue
            }
            if limit < request {
                faults.invalid(
                    "\(place).requests", .string(request.canonical),
                    "must be less than or equal to \(name) limit of \(limit.canonical)")
            }
        }
    }

    private mutating func quantity(_ value: JSON, _ place: String) -> Quantity? {
        guard let quantity = Quantity(value.string ?? value.text), let zero = Quantity("0") else { return nil }
        if quantity < zero { faults.invalid(place, value, "must be greater than or equal to 0") }
        return quantity
    }

    private mutating func checkProbe(_ probe: JSON, _ place: String, mayNeedMoreSuccesses: Bool) {
        checkHandler(probe, ["exec", "httpGet", "tcpSocket", "grpc"], place)
        for key in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] {
            faults.notNegative("\(place).\(key)", probe[key])
        }
        if !mayNeedMoreSuccesses, let threshold = probe["successThreshold"]?.int, threshold != 1 {
            faults.invalid("\(place).successThreshold", JSON(threshold), "must be 1")
        }
    }

    private mutating func checkHandler(_ handler: JSON, _ kinds: [String], _ place: String) {
        let present = kinds.filter { handler[$0] != nil }
        if present.isEmpty {
            faults.required(place, "must specify a handler type")
        }
        for extra in present.dropFirst() {
            faults.forbidden("\(place).\(extra)", "may not specify more than 1 handler type")
        }
        if let command = handler["exec"], command["command"].isEmptyValue { faults.required("\(place).exec.command") }
        for kind in ["httpGet", "tcpSocket"] {
            guard let port = handler[kind]?["port"] else { continue }
            if let number = port.int {
                faults.invalid("\(place).\(kind).port", port, Validators.portNumber(number))
            } else if let name = port.string {
                faults.invalid("\(place).\(kind).port", port, Validators.portName(name))
            }
        }
    }
}
