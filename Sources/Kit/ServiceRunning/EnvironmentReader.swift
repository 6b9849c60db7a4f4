internal import FoundationEssentials

/// Reads what a service takes from its environment. A variable that is empty counts as not set.
public struct EnvironmentReader: Sendable {
    private let variables: [String: String]

    public init(_ variables: [String: String]) { self.variables = variables.filter { !$0.value.isEmpty } }

    public subscript(name: String) -> String? { variables[name] }

    /// `TODO_BIND_ADDRESS`, the address that a service listens on; every address when it is not set.
    public var bindAddress: String { self["TODO_BIND_ADDRESS"] ?? ListenAddress.any }

    /// - Parameter advice: what to do when it is not set: "set it to …".
    public func required(_ name: String, _ advice: String) throws(EnvironmentError) -> String {
        guard let value = variables[name] else { throw EnvironmentError(name, "is not set; \(advice)") }
        return value
    }

    public func integer(
        _ name: String, in range: ClosedRange<Int>, default fallback: Int
    ) throws(EnvironmentError) -> Int {
        guard let text = variables[name] else { return fallback }
        guard let value = Int(text), range.contains(value) else {
            throw EnvironmentError(
                name, "must be a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return value
    }

    /// Nil when it is not set.
    public func flag(_ name: String) throws(EnvironmentError) -> Bool? {
        guard let text = variables[name] else { return nil }
        guard let value = Bool(text) else { throw EnvironmentError(name, "must be true or false, not \"\(text)\"") }
        return value
    }

    /// Nil when it is not set.
    public func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ name: String, of type: Value.Type = Value.self
    ) throws(EnvironmentError) -> Value? {
        guard let text = variables[name] else { return nil }
        guard let value = Value(rawValue: text) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw EnvironmentError(name, "must be one of \(known), not \"\(text)\"")
        }
        return value
    }

    /// 32 bytes in Base64.
    public func key(_ name: String) throws(EnvironmentError) -> [UInt8] {
        let advice = "32 random bytes in Base64, as of openssl rand -base64 32"
        let text = try required(name, "set it to \(advice)")
        guard let key = Data(base64Encoded: text), key.count == 32 else {
            throw EnvironmentError(name, "must be \(advice)")
        }
        return Array(key)
    }

    /// The address of another service, without a slash at its end.
    public func url(_ name: String, _ advice: String) throws(EnvironmentError) -> String {
        let url = try required(name, advice)
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw EnvironmentError(name, "must begin with http:// or https://, not \"\(url)\"")
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}

/// Which variable cannot be used, and what to do; never with a secret.
public struct EnvironmentError: Error, Sendable, Hashable, CustomStringConvertible {
    public let variable: String
    public let message: String

    public init(_ variable: String, _ message: String) {
        self.variable = variable
        self.message = message
    }

    public var description: String { "\(variable): \(message)" }
}
