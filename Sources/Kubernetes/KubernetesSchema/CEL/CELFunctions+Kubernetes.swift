/// Kubernetes' own libraries: quantities, URLs, addresses, versions, named formats.
extension CELEvaluator {
    func library(_ name: String, _ values: [CELValue]) throws(CELError) -> CELValue? {
        if name.hasPrefix("format.") { return format(String(name.dropFirst("format.".count)), values) }
        guard case .string(let text)? = values.first else { return nil }
        switch name {
        case "quantity":
            guard let quantity = Quantity(text) else {
                let pattern = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                throw .evaluation("quantities must match the regular expression \(pattern)")
            }
            return .quantity(quantity)
        case "isQuantity": return .bool(Quantity(text) != nil)
        case "url":
            guard let url = Self.url(text) else {
                throw .evaluation(
                    "URL parse error during conversion from string: parse \(FieldError.quoted(text)): invalid URI for request"
                )
            }
            return .url(url)
        case "isURL": return .bool(Self.url(text) != nil)
        case "ip":
            guard let address = IPAddress(text) else {
                throw .evaluation("IP Address \(FieldError.quoted(text)) parse error during conversion from string")
            }
            return .ip(address)
        case "isIP": return .bool(IPAddress(text) != nil)
        case "ip.isCanonical":
            guard let address = IPAddress(text) else {
                throw .evaluation("IP Address \(FieldError.quoted(text)) parse error during conversion from string")
            }
            return .bool(address.text == text)
        case "cidr":
            guard let cidr = CIDR(text) else {
                throw .evaluation(
                    "network address parse error during conversion from string: \(FieldError.quoted(text))")
            }
            return .cidr(cidr)
        case "isCIDR": return .bool(CIDR(text) != nil)
        case "semver", "isSemver":
            var isNormalizing = false
            if values.count == 2, case .bool(let flag) = values[1] { isNormalizing = flag }
            let version = SemanticVersion(text, isNormalizing: isNormalizing)
            if name == "isSemver" { return .bool(version != nil) }
            guard let version else { throw .evaluation("invalid semantic version: \(FieldError.quoted(text))") }
            return .semver(version)
        default: return nil
        }
    }

    func libraryMember(_ name: String, _ receiver: CELValue, _ arguments: [CELValue]) throws(CELError) -> CELValue? {
        switch receiver {
        case .quantity(let quantity): return try member(name, of: quantity, arguments)
        case .url(let url): return member(name, of: url)
        case .ip(let address): return member(name, of: address)
        case .cidr(let cidr): return member(name, of: cidr, arguments)
        case .semver(let version): return member(name, of: version, arguments)
        case .format(let format):
            guard name == "validate", case .string(let text)? = arguments.first else { return nil }
            let problems = CELNamedFormat.problems(text, format: format) ?? []
            return .optional(problems.isEmpty ? nil : .list(CELList(problems.map(CELValue.string))))
        default: return nil
        }
    }

    private static func url(_ text: String) -> URLParts? {
        URLParts(text).flatMap { $0.isAbsolute || text.hasPrefix("/") ? $0 : nil }
    }

    private func format(_ name: String, _ values: [CELValue]) -> CELValue? {
        guard name == "named" else { return .format(name) }
        guard case .string(let format)? = values.first else { return nil }
        return .optional(CELNamedFormat.problems("", format: format) == nil ? nil : .format(format))
    }

    private func member(
        _ name: String, of quantity: Quantity, _ arguments: [CELValue]
    ) throws(CELError) -> CELValue? {
        switch (name, arguments.first) {
        case ("isInteger", nil): return .bool(quantity.isInteger)
        case ("asInteger", nil):
            guard quantity.isInteger else { throw .evaluation("cannot convert value to integer") }
            return .int(quantity.roundedUp)
        case ("asApproximateFloat", nil): return .double(quantity.double)
        case ("sign", nil): return .int(Int(quantity.nanos.signum()))
        case ("add", .quantity(let other)?):
            return .quantity(Quantity(nanos: quantity.nanos + other.nanos, form: quantity.form))
        case ("sub", .quantity(let other)?):
            return .quantity(Quantity(nanos: quantity.nanos - other.nanos, form: quantity.form))
        case ("add", .int(let number)?):
            return .quantity(Quantity(nanos: quantity.nanos + Int128(number) * 1_000_000_000, form: quantity.form))
        case ("sub", .int(let number)?):
            return .quantity(Quantity(nanos: quantity.nanos - Int128(number) * 1_000_000_000, form: quantity.form))
        case ("isLessThan", .quantity(let other)?): return .bool(quantity < other)
        case ("isGreaterThan", .quantity(let other)?): return .bool(quantity > other)
        case ("compareTo", .quantity(let other)?):
            return .int(quantity < other ? -1 : quantity == other ? 0 : 1)
        default: return nil
        }
    }

    private func member(_ name: String, of url: URLParts) -> CELValue? {
        switch name {
        case "getScheme": return .string(url.scheme)
        case "getHost": return .string(url.host)
        case "getHostname": return .string(url.hostName)
        case "getPort": return .string(url.port)
        case "getEscapedPath": return .string(url.path)
        case "getQuery":
            var members: [(key: CELValue, value: CELValue)] = []
            for pair in url.query.split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                let key = CELValue.string(String(parts[0]))
                let value = CELValue.string(parts.count > 1 ? String(parts[1]) : "")
                if let index = members.firstIndex(where: { $0.key.equals(key) }) {
                    if case .list(let list) = members[index].value {
                        members[index].value = .list(CELList(list.values + [value]))
                    }
                } else {
                    members.append((key, .list(CELList([value]))))
                }
            }
            return .map(CELMap(members))
        default: return nil
        }
    }

    private func member(_ name: String, of address: IPAddress) -> CELValue? {
        let bytes = address.bytes
        let isVersion4 = address.isVersion4
        let isUnspecified = bytes.allSatisfy { $0 == 0 }
        let isLoopback = isVersion4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
        let isLinkLocal = isVersion4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
        let isMulticast = isVersion4 ? bytes[0] & 0xF0 == 0xE0 : bytes[0] == 0xFF
        switch name {
        case "family": return .int(isVersion4 ? 4 : 6)
        case "isUnspecified": return .bool(isUnspecified)
        case "isLoopback": return .bool(isLoopback)
        case "isLinkLocalUnicast": return .bool(isLinkLocal)
        case "isLinkLocalMulticast":
            let isLocal = isVersion4 ? bytes[1] == 0 && bytes[2] == 0 && bytes[0] == 224 : bytes[1] & 0x0F == 2
            return .bool(isMulticast && isLocal)
        case "isGlobalUnicast":
            let isBroadcast = isVersion4 && bytes.allSatisfy { $0 == 255 }
            return .bool(!isUnspecified && !isLoopback && !isLinkLocal && !isMulticast && !isBroadcast)
        default: return nil
        }
    }

    private func member(_ name: String, of cidr: CIDR, _ arguments: [CELValue]) -> CELValue? {
        switch (name, arguments.first) {
        case ("ip", nil): return .ip(cidr.address)
        case ("masked", nil): return .cidr(cidr.masked)
        case ("prefixLength", nil): return .int(cidr.prefixLength)
        case ("containsIP", .ip(let address)?): return .bool(cidr.contains(address))
        case ("containsIP", .string(let text)?): return IPAddress(text).map { .bool(cidr.contains($0)) }
        case ("containsCIDR", .cidr(let other)?): return .bool(cidr.contains(other))
        case ("containsCIDR", .string(let text)?): return CIDR(text).map { .bool(cidr.contains($0)) }
        default: return nil
        }
    }

    private func member(_ name: String, of version: SemanticVersion, _ arguments: [CELValue]) -> CELValue? {
        switch (name, arguments.first) {
        case ("major", nil): return .int(version.major)
        case ("minor", nil): return .int(version.minor)
        case ("patch", nil): return .int(version.patch)
        case ("isLessThan", .semver(let other)?): return .bool(version < other)
        case ("isGreaterThan", .semver(let other)?): return .bool(other < version)
        case ("compareTo", .semver(let other)?): return .int(version < other ? -1 : other < version ? 1 : 0)
        default: return nil
        }
    }
}

/// The formats of `format.named(…)`.
enum CELNamedFormat {
    /// What is wrong with `text`; nil when there is no such format.
    static func problems(_ text: String, format: String) -> [String]? {
        let padded = text.hasSuffix("-") ? text.dropLast() + "a" : text
        switch format {
        case "dns1123Label": return Validators.dnsLabel(text)
        case "dns1123Subdomain": return Validators.dnsSubdomain(text)
        case "dns1035Label": return Validators.dns1035Label(text)
        case "dns1123LabelPrefix": return Validators.dnsLabel(padded)
        case "dns1123SubdomainPrefix": return Validators.dnsSubdomain(padded)
        case "dns1035LabelPrefix": return Validators.dns1035Label(padded)
        case "qualifiedName": return Validators.qualifiedName(text)
        case "labelValue": return Validators.labelValue(text)
        case "uri":
            return StringFormat.isValid(text, format: "uri")
                ? [] : ["parse \(FieldError.quoted(text)): invalid URI for request"]
        case "uuid":
            return StringFormat.isValid(text, format: "uuid")
                ? [] : ["does not match the UUID format"]
        case "byte": return Base64.firstBadByte(text) == nil ? [] : ["invalid base64"]
        case "date": return StringFormat.isValid(text, format: "date") ? [] : ["invalid date"]
        case "datetime": return StringFormat.isValid(text, format: "datetime") ? [] : ["invalid datetime"]
        default: return nil
        }
    }
}
