extension JSONParser {
    mutating func outline(levels: Int) throws(JSONParseError) -> JSONOutline {
        let outline = try part(levels)
        try end()
        return outline
    }

    private mutating func part(_ levels: Int) throws(JSONParseError) -> JSONOutline {
        skipSpace()
        let start = offset
        var content = JSONOutline.Content.text
        switch peek {
        case UInt8(ascii: "{") where levels > 0: content = .object(try members(levels - 1))
        case UInt8(ascii: "[") where levels > 0: content = .array(try elements(levels - 1))
        default:
            isSkipping = true
            _ = try next()
            isSkipping = false
        }
        return JSONOutline(range: start..<offset, content: content)
    }

    private mutating func members(_ levels: Int) throws(JSONParseError) -> [JSONOutline.Member] {
        var members: [JSONOutline.Member] = []
        try eachPart(until: UInt8(ascii: "}")) { parser throws(JSONParseError) in
            members.append(.init(name: try parser.name(), value: try parser.part(levels)))
        }
        return members
    }

    private mutating func elements(_ levels: Int) throws(JSONParseError) -> [JSONOutline] {
        var elements: [JSONOutline] = []
        try eachPart(until: UInt8(ascii: "]")) { parser throws(JSONParseError) in
            elements.append(try parser.part(levels))
        }
        return elements
    }

    /// Steps into a container, reads what is in it and steps out.
    private mutating func eachPart(
        until bracket: UInt8, _ read: (inout JSONParser) throws(JSONParseError) -> Void
    ) throws(JSONParseError) {
        let isObject = bracket == UInt8(ascii: "}")
        try open(Frame(isObject: isObject, base: 0))
        while peek != bracket {
            try read(&self)
            skipSpace()
            guard peek == UInt8(ascii: ",") else { break }
            offset += 1
            skipSpace()
            guard peek != bracket else { throw unexpected(isObject ? "a member name in quotes" : "a value") }
        }
        guard peek == bracket else { throw unexpected(isObject ? "\",\" or \"}\"" : "\",\" or \"]\"") }
        _ = frames.pop()
        offset += 1
    }
}
