internal import StructuredData

/// A rule of `x-kubernetes-validations`.
struct ValidationRule: Sendable {
    let rule: String
    let message: String
    let messageExpression: String
    let reason: FieldError.Reason
    /// The path below the node at which a failure is reported: `.spec.x`, `['a']`.
    let fieldPath: String
    let isOldSelfOptional: Bool
    private let programs: Lazy<Programs>

    /// The rule, ready to run; an error when it does not compile.
    var program: Result<CELProgram, CELError> { programs.value.rule }
    var messageProgram: Result<CELProgram, CELError>? { programs.value.message }

    private struct Programs: Sendable {
        let rule: Result<CELProgram, CELError>
        let message: Result<CELProgram, CELError>?
    }

    init(_ json: JSON, node: Schema) {
        rule = json["rule"]?.string ?? ""
        message = json["message"]?.string ?? ""
        messageExpression = json["messageExpression"]?.string ?? ""
        reason = json["reason"]?.string.flatMap(FieldError.Reason.init) ?? .invalid
        fieldPath = Self.normalized(json["fieldPath"]?.string ?? "")
        isOldSelfOptional = json["optionalOldSelf"]?.bool ?? false
        programs = Lazy { [rule, messageExpression, isOldSelfOptional] in
            let type = CELType(node)
            let variables: [(name: String, type: CELType)] = [
                ("self", type), ("oldSelf", isOldSelfOptional ? .optional(type) : type),
            ]
            return Programs(
                rule: Self.compile(rule, variables),
                message: messageExpression.isEmpty ? nil : Self.compile(messageExpression, variables))
        }
    }

    private static func compile(
        _ source: String, _ variables: [(name: String, type: CELType)]
    ) -> Result<CELProgram, CELError> {
        Result { () throws(CELError) in try CELProgram(source, variables: variables) }
    }

    var usesOldSelf: Bool {
        (try? program.get().used.contains("oldSelf")) ?? false
    }

    /// The message of a failure when no expression makes one.
    var plainMessage: String {
        Self.trimmed(message).isEmpty ? "failed rule: \(Self.trimmed(rule))" : Self.trimmed(message)
    }

    /// The rule in errors about the rule itself.
    var label: String { message.isEmpty ? Self.trimmed(rule) : Self.trimmed(message) }

    /// `.a['b']` as paths are printed: `a.b`.
    private static func normalized(_ path: String) -> String {
        var result = ""
        var rest = Substring(trimmed(path))
        while let first = rest.first {
            if first == "." {
                let name = rest.dropFirst().prefix { $0 != "." && $0 != "[" }
                result = Path.child(result, String(name))
                rest = rest.dropFirst(1 + name.count)
            } else if rest.hasPrefix("['"), let end = rest.firstRange(of: "']") {
                result = Path.child(result, String(rest[rest.startIndex..<end.lowerBound].dropFirst(2)))
                rest = rest[end.upperBound...]
            } else {
                return ""
            }
        }
        return result
    }

    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(scalars[start...end])
    }
}
