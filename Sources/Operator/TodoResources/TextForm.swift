/// What a text must look like, and how that is said to whoever got it wrong: for a pattern in a schema the API server
/// shows the regular expression, for a rule its message.
struct TextForm: Sendable {
    /// RE2.
    let pattern: String
    /// What is to be written: begins with "must".
    let words: String

    /// In CEL, of which a text takes a backslash for its own.
    var rule: String { "self.matches('\(pattern.replacing("\\", with: "\\\\"))')" }

    // MARK: Kubernetes' own

    static let objectName = TextForm(
        pattern: #"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"#,
        words: "must be the name of an object: lower-case letters, digits, - and ., at both ends a letter or digit")
    static let namespace = TextForm(
        pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        words: "must be the name of a namespace: lower-case letters, digits and -, at both ends a letter or digit")
    static let secretKey = TextForm(
        pattern: "^[-._a-zA-Z0-9]+$", words: "must be a key as a Secret has it: letters, digits, -, _ and .")
    static let labelKey = TextForm(
        pattern: #"^[a-zA-Z0-9]([-a-zA-Z0-9_./]*[a-zA-Z0-9])?$"#,
        words: "must be the key of a label, such as topology.kubernetes.io/zone")
    static let labelValue = TextForm(
        pattern: "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
        words: "must be the value of a label: letters, digits, -, _ and ., at both ends a letter or digit")
    static let variable = TextForm(
        pattern: "^[-._a-zA-Z][-._a-zA-Z0-9]*$",
        words: "must be the name of a variable: letters, digits, -, _ and ., and no digit at the beginning")
    static let image = TextForm(
        pattern: "^([a-zA-Z0-9][-a-zA-Z0-9]*([.:][-a-zA-Z0-9]+)+/)?[a-z0-9]+([._-]+[a-z0-9]+)*"
            + "(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[a-zA-Z0-9_][-a-zA-Z0-9_.]*)?(@[-a-zA-Z0-9_.]+:[0-9a-fA-F]+)?$",
        words: "must be the name of a container image, in lower case up to its tag, such as "
            + "registry.example.com/todo:1.2.3")

    // MARK: Addresses

    static let hostAndPort = TextForm(
        pattern: "^[-a-zA-Z0-9._]+:[0-9]{1,5}$",
        words: "must be HOST:PORT, such as broker.example.com:9093, without a scheme")
    static let webAddress = TextForm(
        pattern: #"^https?://[^/?#\s]+$"#,
        words: "must be http:// or https:// with a host and, where it has one, a port, and nothing after that: "
            + "https://todo.example.com")
    static let webHost = TextForm(
        pattern: #"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"#,
        words: "must be a DNS name in lower case, such as todo.example.com, without a scheme, a port, a path or *")
    static let secureURL = TextForm(
        pattern: #"^https://[^\s]+$"#, words: "must be a URL that begins with https://")
    static let issuer = TextForm(
        pattern: #"^https://[^\s/?#:]+(:[0-9]{1,5})?(/[^\s?#]*)?$"#,
        words: "must be a URL without ? and #, such as https://id.example.com/realms/todo")
    static let mailServer = TextForm(
        pattern: "^[a-zA-Z0-9.-]+$", words: "must be the name of a host, such as smtp.example.com, without its port")
    static let mailAddress = TextForm(
        pattern: #"^[^@\s<>]+@[^@\s<>]+$"#, words: "must be an address and no more, such as todo@example.com")
    static let network = TextForm(
        pattern: "^[0-9a-fA-F.:]+/[0-9]{1,3}$", words: "must be a network in CIDR form, such as 10.1.0.0/16")
    static let path = TextForm(
        pattern: #"^/[^\s?#]*$"#, words: "must be a path that begins with /, without blanks, ? and #")

    // MARK: Kafka, Dapr and logins

    static let kafkaVersion = TextForm(
        pattern: #"^[0-9]+\.[0-9]+\.[0-9]+$"#, words: "must be three numbers, such as 4.3.1")
    static let topic = TextForm(pattern: "^[a-zA-Z0-9._-]+$", words: "must be letters, digits, ., _ and -")
    static let topicPrefix = TextForm(pattern: "^[a-zA-Z0-9._-]*$", words: "must be letters, digits, ., _ and -")
    static let share = TextForm(
        pattern: #"^(0(\.[0-9]+)?|1(\.0+)?)$"#, words: #"must be a number from 0 to 1 in quotes, such as "0.1""#)
    static let word = TextForm(pattern: #"^\S+$"#, words: "must have no blanks")
    static let scope = TextForm(pattern: #"^[^\s,]+$"#, words: "must be one scope, without blanks and commas")
    static let region = TextForm(pattern: "^[a-z0-9-]+$", words: "must be the name of a region, such as eu-central-1")
    static let role = TextForm(
        pattern: #"^arn:[^\s]+$"#, words: "must be the ARN of a role, such as arn:aws:iam::123456789012:role/todo")
    static let rotation = TextForm(
        pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        words: "must be lower-case letters, digits and -, at both ends a letter or digit, such as 2026-11")

    // MARK: Times

    static let interval = TextForm(
        pattern: "^[1-9][0-9]*(ms|s|m|h)$", words: "must be a number and one of ms, s, m and h, such as 30s")
    static let age = TextForm(
        pattern: "^[0-9]{1,6}[dhms]$", words: "must be a number and one of d, h, m and s, such as 7d")
    static let duration = TextForm(
        pattern: "^([0-9]{1,5}[wdhm])+$", words: "must be weeks, days, hours and minutes, such as 1w, 2d12h or 30m")
    static let clock = TextForm(
        pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$", words: "must be a time of day from 00:00 to 23:59, such as 07:30")
    static let timeZone = TextForm(
        pattern: "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
        words: "must be the name of a time zone, such as Europe/Berlin")
}
