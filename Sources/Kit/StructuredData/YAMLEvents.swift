import CYAML

/// What libyaml sees in a stream.
struct YAMLEvent {
    enum Content {
        case endOfStream
        case endOfDocument
        case scalar(text: String, tag: String?, isPlain: Bool)
        case alias
        case sequenceStart
        case mappingStart
        case end
        /// Marks that carry no content.
        case other
    }

    let content: Content
    /// The anchor that the node defines, or that the alias names.
    let anchor: String?
    let line: Int
}

/// The events of a YAML text, by libyaml's parser.
final class YAMLEvents {
    /// On the heap, because libyaml keeps its address.
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) {
        input = .allocate(capacity: bytes.count)
        _ = input.initialize(from: bytes)
        yaml_parser_initialize(parser)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func next() throws(YAMLError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw error }
        defer { yaml_event_delete(&event) }
        let line = event.start_mark.line + 1
        switch event.type {
        case YAML_STREAM_END_EVENT: return YAMLEvent(content: .endOfStream, anchor: nil, line: line)
        case YAML_DOCUMENT_END_EVENT: return YAMLEvent(content: .endOfDocument, anchor: nil, line: line)
        case YAML_ALIAS_EVENT:
            return YAMLEvent(content: .alias, anchor: string(event.data.alias.anchor), line: line)
        case YAML_SCALAR_EVENT: return scalar(event, line)
        case YAML_SEQUENCE_START_EVENT:
            return YAMLEvent(content: .sequenceStart, anchor: string(event.data.sequence_start.anchor), line: line)
        case YAML_MAPPING_START_EVENT:
            return YAMLEvent(content: .mappingStart, anchor: string(event.data.mapping_start.anchor), line: line)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            return YAMLEvent(content: .end, anchor: nil, line: line)
        default: return YAMLEvent(content: .other, anchor: nil, line: line)
        }
    }

    private func scalar(_ event: yaml_event_t, _ line: Int) -> YAMLEvent {
        let scalar = event.data.scalar
        let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
        let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
        let content = YAMLEvent.Content.scalar(text: text, tag: string(scalar.tag), isPlain: isPlain)
        return YAMLEvent(content: content, anchor: string(scalar.anchor), line: line)
    }

    private func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        text.map { String(cString: $0) }
    }

    private var error: YAMLError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "out of memory"
        let context = parser.pointee.context.map { String(cString: $0) + ": " } ?? ""
        guard parser.pointee.error == YAML_READER_ERROR else {
            // At the end of the input libyaml counts a line that is not there.
            let lastLine = input.count { $0 == UInt8(ascii: "\n") } + 1
            let line = min(parser.pointee.problem_mark.line + 1, lastLine)
            return YAMLError("\(context)\(problem)\(advice(problem))", line: line)
        }
        let line = input.prefix(parser.pointee.problem_offset).count { $0 == UInt8(ascii: "\n") } + 1
        return YAMLError("\(problem); save the file as UTF-8 without control characters", line: line)
    }

    private func advice(_ problem: String) -> String {
        switch problem {
        case "found character that cannot start any token":
            "; indent with spaces, not tabs, and quote text that starts with @, ` or %"
        case "mapping values are not allowed in this context":
            "; check the indentation, and quote text that contains \": \""
        case "did not find expected key": "; check that this line is indented like its neighbours"
        case "could not find expected ':'": "; a key needs \": \" and its value"
        default: ""
        }
    }
}
