/// The protobuf messages of Kubernetes' Go types, as text: one message per line, continued by indented lines.
///
/// `name=NUMBER` is a field by its JSON name, a text unless a mark follows: `#` integer, `?` boolean, `&` bytes,
/// `<Message>` another message, of the same package when it is not qualified. A mark before it: `*` repeated, `%` map,
/// `+` a message whose fields are this one's. `^` at the end: a pointer in Go, so that zero differs from absent.
enum MessageTables {
    struct Field {
        enum Content {
            case text, integer, boolean, bytes
            case message(String)
        }
        enum Shape {
            case single, repeated, map, inline
        }

        let name: String
        let content: Content
        let shape: Shape
        let keepsZero: Bool
    }

    typealias Message = [Int: Field]

    static let messages: [String: Message] = {
        var messages: [String: Message] = [:]
        for text in [coreAToM, coreNToZ, groups] {
            var current = ""
            for word in text.split(whereSeparator: \.isWhitespace) {
                if word.last == ":" {
                    current = String(word.dropLast())
                    messages[current] = [:]
                } else if let (number, field) = field(word, package: packageName(of: current)) {
                    messages[current]?[number] = field
                }
            }
        }
        return messages
    }()

    /// The message of a kind; nil when there is none.
    static func name(group: String, version: String, kind: String) -> String? {
        if kind == "DeleteOptions" { return "meta.v1.DeleteOptions" }
        let package = group.isEmpty ? "core" : String(group.prefix { $0 != "." })
        let name = "\(package).\(version).\(kind)"
        return messages[name] == nil ? nil : name
    }

    private static func packageName(of message: String) -> String {
        message.split(separator: ".").prefix(2).joined(separator: ".")
    }

    /// Messages with a form of their own in JSON; they belong to no package.
    static let special: Set<String> = ["Time", "MicroTime", "Duration", "Quantity", "IntOrString", "Raw", "Strings"]

    private static func field(_ word: Substring, package: String) -> (Int, Field)? {
        var rest = word
        var shape = Field.Shape.single
        switch rest.first {
        case "*": shape = .repeated
        case "%": shape = .map
        case "+": shape = .inline
        default: break
        }
        if shape != .single { rest.removeFirst() }
        let name = rest.prefix { $0 != "=" }
        rest = rest.dropFirst(name.count + 1)
        let digits = rest.prefix(while: \.isNumber)
        rest = rest.dropFirst(digits.count)
        let keepsZero = rest.last == "^"
        if keepsZero { rest.removeLast() }
        guard let number = Int(digits) else { return nil }
        let content: Field.Content
        switch rest.first {
        case "#": content = .integer
        case "?": content = .boolean
        case "&": content = .bytes
        case "<":
            let type = String(rest.dropFirst().dropLast())
            content = .message(special.contains(type) || type.contains(".") ? type : "\(package).\(type)")
        default: content = .text
        }
        return (number, Field(name: String(name), content: content, shape: shape, keepsZero: keepsZero))
    }
}
