extension JSON {
    /// The value that `bytes` spell in JSON (RFC 8259, UTF-8). Of members with the same key the last wins; invalid
    /// UTF-8 and lone surrogates are refused.
    public init(parsing bytes: some Collection<UInt8>, limits: JSONLimits = .default) throws(JSONParseError) {
        self = try JSON.parse(bytes, limits: limits, reportsDuplicates: false).value
    }

    /// The value that `text` spells in JSON.
    public init(parsing text: some StringProtocol, limits: JSONLimits = .default) throws(JSONParseError) {
        self = try JSON.parse(text.utf8, limits: limits, reportsDuplicates: false).value
    }

    /// Parses, and appends to `duplicates` the path of each key that an object has more than once, as Kubernetes writes
    /// it: `spec.a`, `spec.list[0].b`. Each path once, at most 100.
    public static func parse(
        _ bytes: some Collection<UInt8>, limits: JSONLimits = .default, reportingDuplicates duplicates: inout [String]
    ) throws(JSONParseError) -> JSON {
        let result = try parse(bytes, limits: limits, reportsDuplicates: true)
        duplicates += result.duplicates
        return result.value
    }

    private typealias Parsed = (value: JSON, duplicates: [String])

    private static func parse(
        _ bytes: some Collection<UInt8>, limits: JSONLimits, reportsDuplicates: Bool
    ) throws(JSONParseError) -> Parsed {
        func run(_ buffer: UnsafeBufferPointer<UInt8>) -> Result<Parsed, JSONParseError> {
            Result { () throws(JSONParseError) -> Parsed in
                var parser = try JSONParser(buffer, limits: limits, reportsDuplicates: reportsDuplicates)
                let value = try parser.document()
                return (value, parser.duplicateKeys)
            }
        }
        let result = bytes.withContiguousStorageIfAvailable(run) ?? Array(bytes).withUnsafeBufferPointer(run)
        return try result.get()
    }
}
