internal import StructuredData

/// The string formats that kube-apiserver checks in custom resources; others are not checked.
enum StringFormat {
    static func isValid(_ text: String, format: String) -> Bool {
        switch format.filter({ $0 != "-" }) {
        case "datetime": isDateTime(text)
        case "date": isDate(text)
        case "byte": Base64.firstBadByte(text) == nil
        case "duration": GoDuration(text) != nil
        case "uuid": matches(text, patterns.uuid)
        case "uuid3": matches(text, patterns.uuid3)
        case "uuid4": matches(text, patterns.uuid4)
        case "uuid5": matches(text, patterns.uuid5)
        case "hexcolor": matches(text, patterns.hexColor)
        case "rgbcolor": matches(text, patterns.rgbColor)
        case "ssn": matches(text, patterns.ssn)
        case "bsonobjectid": matches(text, patterns.objectID)
        case "mac": matches(text, patterns.mac)
        case "email": matches(text, patterns.email)
        case "hostname": isHostname(text)
        case "uri": URLParts(text).map { $0.isAbsolute || text.hasPrefix("/") } ?? false
        case "ipv4": IPAddress(text)?.isVersion4 ?? false
        case "ipv6": IPAddress(text).map { !$0.isVersion4 } ?? false
        case "cidr": CIDR(text) != nil
        case "k8sshortname": Validators.dnsLabel(text).isEmpty
        case "k8slongname": Validators.dnsSubdomain(text).isEmpty
        default: true
        }
    }

    private struct Patterns {
        let uuid = try? RegularExpression("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
        let uuid3 = try? RegularExpression("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
        let uuid4 = try? RegularExpression(
            "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$")
        let uuid5 = try? RegularExpression(
            "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$")
        let hexColor = try? RegularExpression("^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")
        let rgbColor = try? RegularExpression(
            #"^rgb\(\s*([01]?\d?\d|2[0-4]\d|25[0-5])\s*(,\s*([01]?\d?\d|2[0-4]\d|25[0-5])\s*){2}\)$"#)
        let ssn = try? RegularExpression(#"^\d{3}[- ]?\d{2}[- ]?\d{4}$"#)
        let objectID = try? RegularExpression("^[0-9a-fA-F]{24}$")
        let mac = try? RegularExpression("^([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2}[:-]){0,14}[0-9a-fA-F]{2}$")
        let email = try? RegularExpression(#"^([^<>]*<)?[^\s@<>()\[\],;:\\"]+@[^\s@<>()\[\],;:\\"]+>?$"#)
    }

    private static let patterns = Patterns()

    private static func matches(_ text: String, _ pattern: RegularExpression?) -> Bool {
        pattern?.matches(text) ?? true
    }

    /// RFC 3339, and as the reference implementation without a zone's seconds or with a blank for the `T`.
    private static func isDateTime(_ text: String) -> Bool {
        Timestamp(text) != nil || Timestamp(text.replacing(" ", with: "T", maxReplacements: 1)) != nil
    }

    private static func isDate(_ text: String) -> Bool {
        text.utf8.count == 10 && Timestamp(text + "T00:00:00Z") != nil
    }

    private static func isHostname(_ text: String) -> Bool {
        guard (1...255).contains(text.utf8.count) else { return false }
        let name = text.hasSuffix(".") ? text.dropLast() : Substring(text)
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.unicodeScalars.allSatisfy {
                    $0 == "-" || $0.properties.isAlphabetic || $0.properties.numericType != nil
                }
        }
    }
}
