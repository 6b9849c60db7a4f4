internal import StructuredData

/// Keys that are no letters (W3C WebDriver, section 17.4.2).
public enum Key {
    public static let enter = "\u{E007}"
    public static let escape = "\u{E00C}"
    public static let tab = "\u{E004}"
    public static let space = " "
    public static let shift = "\u{E008}"
    public static let control = "\u{E009}"
    public static let alt = "\u{E00A}"
    public static let up = "\u{E013}"
    public static let down = "\u{E015}"
    public static let left = "\u{E012}"
    public static let right = "\u{E014}"
    public static let delete = "\u{E017}"
    public static let end = "\u{E010}"
}

extension Browser {
    /// Presses keys one after the other, to whatever has the focus. Each is a key, or several held together in order.
    public func press(_ keys: [String]...) async throws {
        let actions = keys.flatMap { chord in
            chord.map { Self.key("keyDown", $0) } + chord.reversed().map { Self.key("keyUp", $0) }
        }
        try await command("actions", ["actions": [["type": "key", "id": "keys", "actions": .array(actions)]]])
    }

    public func press(_ keys: String...) async throws { for key in keys { try await press([key]) } }

    /// Types a text letter by letter, to whatever has the focus.
    public func write(_ text: String) async throws {
        let actions = text.flatMap { [Self.key("keyDown", String($0)), Self.key("keyUp", String($0))] }
        try await command("actions", ["actions": [["type": "key", "id": "keys", "actions": .array(actions)]]])
    }

    private static func key(_ type: String, _ value: String) -> JSON {
        ["type": .string(type), "value": .string(value)]
    }

    /// Drags by mouse, or by finger on a phone, from the middle of one element to that of another and `below` further.
    public func drag(_ from: Element, to target: Element, below: Int) async throws {
        let origin: (Element, Int, Int) -> JSON = { element, y, milliseconds in
            [
                "type": "pointerMove", "origin": element.reference, "x": 0, "y": .number(JSONNumber(y)),
                "duration": .number(JSONNumber(milliseconds)),
            ]
        }
        let actions: JSON = [
            origin(from, 0, 0), ["type": "pointerDown", "button": 0], origin(from, 10, 50), origin(target, below, 200),
            origin(target, below, 20), ["type": "pointerUp", "button": 0],
        ]
        let parameters: JSON = ["pointerType": look.isPhone ? "touch" : "mouse"]
        try await command(
            "actions",
            ["actions": [["type": "pointer", "id": "pointer", "parameters": parameters, "actions": actions]]])
    }
}
