public import StructuredData

/// The forms of names and values that Kubernetes demands everywhere (apimachinery's `util/validation`).
///
/// Each rule gives the messages that Kubernetes prints; none means that the value is fine.
public enum Validators {
    /// RFC 1123 label: at most 63 of `a-z0-9-`, a letter or digit at both ends.
    public static func dnsLabel(_ value: String) -> [String] {
        tooLong(value, 63) + (isLabel(value[...]) ? [] : [Message.label])
    }

    /// RFC 1123 subdomain: labels joined by dots, at most 253 in all.
    public static func dnsSubdomain(_ value: String) -> [String] {
        let isValid = value.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
        return tooLong(value, 253) + (isValid ? [] : [Message.subdomain])
    }

    /// RFC 1035 label, which starts with a letter: names of Services.
    public static func dns1035Label(_ value: String) -> [String] {
        let startsWell = value.utf8.first.map { (0x61...0x7A).contains($0) } ?? false
        return tooLong(value, 63) + (startsWell && isLabel(value[...]) ? [] : [Message.label1035])
    }

    /// Names of kinds that may hold almost anything (RBAC): what would break a path is refused.
    public static func pathSegmentName(_ value: String) -> [String] {
        if value == "." || value == ".." { return ["may not be '\(value)'"] }
        return ["/", "%"].filter { value.contains($0) }.map { "may not contain '\($0)'" }
    }

    /// Keys of labels and annotations: `[prefix/]name`.
    public static func qualifiedName(_ value: String) -> [String] {
        let parts = value.split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.last, parts.count <= 2 else {
            return [
                "a qualified name \(Message.nameForm) with an optional DNS "
                    + "subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ]
        }
        var messages: [String] = []
        if parts.count == 2 {
            let faults = dnsSubdomain(String(parts[0])).map { "prefix part \($0)" }
            messages += parts[0].isEmpty ? ["prefix part must be non-empty"] : faults
        }
        if name.isEmpty {
            messages.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            messages.append("name part must be no more than 63 bytes")
        }
        if !isName(name) { messages.append("name part \(Message.nameForm)") }
        return messages
    }

    public static func labelValue(_ value: String) -> [String] {
        tooLong(value, 63) + (value.isEmpty || isName(value[...]) ? [] : [Message.labelValue])
    }

    /// Keys of ConfigMaps and Secrets.
    public static func configMapKey(_ value: String) -> [String] {
        var messages = tooLong(value, 253)
        if value.isEmpty || !value.utf8.allSatisfy(isNameByte) { messages.append(Message.configMapKey) }
        if value == "." { messages.append("must not be '.'") }
        if value == ".." {
            messages.append("must not be '..'")
        } else if value.hasPrefix("..") {
            messages.append("must not start with '..'")
        }
        return messages
    }

    public static func portNumber(_ value: Int) -> [String] {
        (1...65535).contains(value) ? [] : ["must be between 1 and 65535, inclusive"]
    }

    /// IANA service names, as ports are named.
    public static func portName(_ value: String) -> [String] {
        var messages: [String] = []
        if value.utf8.count > 15 { messages.append("must be no more than 15 characters") }
        if !value.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }) {
            messages.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !value.utf8.contains(where: { (0x61...0x7A).contains($0) }) {
            messages.append("must contain at least one letter (a-z)")
        }
        if value.contains("--") { messages.append("must not contain consecutive hyphens") }
        if value.hasPrefix("-") || value.hasSuffix("-") { messages.append("must not begin or end with a hyphen") }
        return messages
    }

    /// Names of environment variables: any printable ASCII but `=`.
    public static func environmentVariableName(_ value: String) -> [String] {
        let isValid = value.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
        return isValid && !value.isEmpty ? [] : [Message.environmentVariable]
    }

    /// `25%` or a number that is not negative, as in `maxSurge`.
    public static func percentOrNumber(_ value: JSON) -> [String] {
        switch value {
        case .number(let number):
            return number.int.map { $0 >= 0 } == true ? [] : ["must be greater than or equal to 0"]
        case .string(let text):
            let isPercent = text.hasSuffix("%") && text.count > 1 && text.dropLast().utf8.allSatisfy(isDigit)
            return isPercent ? [] : [Message.percent]
        default: return ["must be an integer or percentage (e.g '5%')"]
        }
    }

    private static func tooLong(_ text: String, _ limit: Int) -> [String] {
        text.utf8.count > limit ? ["must be no more than \(limit) bytes"] : []
    }

    private static func isLabel(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
            && text.utf8.allSatisfy { isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return isAlphanumeric(first) && isAlphanumeric(last) && text.utf8.allSatisfy(isNameByte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x61...0x7A).contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLowerAlphanumeric(byte) || (0x41...0x5A).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }

    private enum Message {
        static let subdomain =
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
            + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
            + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
        static let label =
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
            + "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
            + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
        static let label1035 =
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
            + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
            + "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        static let labelValue =
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            + "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
            + "for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
        static let nameForm =
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
            + "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
        static let configMapKey =
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
            + "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        static let environmentVariable =
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        static let percent =
            "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex "
            + "used for validation is '[0-9]+%')"
    }
}
