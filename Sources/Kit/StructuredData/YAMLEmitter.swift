import CYAML

/// Writes values by libyaml's emitter, with the choices of style that go-yaml v2 makes.
struct YAMLEmitter {
    let sortedKeys: Bool

    mutating func text(of json: JSON) -> String {
        let emitter = Emitter()
        emitter.begin()
        write(json, to: emitter)
        return emitter.end()
    }

    private func write(_ json: JSON, to emitter: Emitter) {
        switch json {
        case .null: emitter.scalar("null", YAML_PLAIN_SCALAR_STYLE)
        case .bool(let value): emitter.scalar(value ? "true" : "false", YAML_PLAIN_SCALAR_STYLE)
        case .number(let number): emitter.scalar(number.text, YAML_PLAIN_SCALAR_STYLE)
        case .string(let text): emitter.scalar(text, style(of: text))
        case .array(let elements):
            emitter.startSequence(isEmpty: elements.isEmpty)
            for element in elements { write(element, to: emitter) }
            emitter.endSequence()
        case .object(let object):
            emitter.startMapping(isEmpty: object.isEmpty)
            let members = sortedKeys ? object.members.sorted { $0.key.bytesPrecede($1.key) } : object.members
            for member in members {
                emitter.scalar(member.key, style(of: member.key))
                write(member.value, to: emitter)
            }
            emitter.endMapping()
        }
    }

    private func style(of text: String) -> yaml_scalar_style_t {
        if text.utf8.contains(UInt8(ascii: "\n")) { return YAML_LITERAL_SCALAR_STYLE }
        return YAMLScalar.isString(text) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE
    }
}

/// libyaml's emitter onto bytes in memory. Its calls fail only when memory runs out or events come in a wrong order;
/// neither happens for the events of a JSON value.
private final class Emitter {
    private final class Output {
        var bytes: [UInt8] = []
    }

    private let emitter = UnsafeMutablePointer<yaml_emitter_t>.allocate(capacity: 1)
    private let output = Output()

    init() {
        yaml_emitter_initialize(emitter)
        yaml_emitter_set_unicode(emitter, 1)
        let context = Unmanaged.passUnretained(output).toOpaque()
        yaml_emitter_set_output(
            emitter,
            { context, bytes, count in
                guard let context else { return 0 }
                let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                output.bytes.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
                return 1
            }, context)
    }

    deinit {
        yaml_emitter_delete(emitter)
        emitter.deallocate()
    }

    func begin() {
        emit { yaml_stream_start_event_initialize(&$0, YAML_UTF8_ENCODING) }
        emit { yaml_document_start_event_initialize(&$0, nil, nil, nil, 1) }
    }

    func end() -> String {
        emit { yaml_document_end_event_initialize(&$0, 1) }
        emit { yaml_stream_end_event_initialize(&$0) }
        yaml_emitter_flush(emitter)
        return String(decoding: output.bytes, as: UTF8.self)
    }

    func scalar(_ text: String, _ style: yaml_scalar_style_t) {
        var text = text
        let isPlain: Int32 = style == YAML_PLAIN_SCALAR_STYLE ? 1 : 0
        text.withUTF8 { bytes in
            emit { event in
                yaml_scalar_event_initialize(
                    &event, nil, nil, bytes.baseAddress, Int32(bytes.count), isPlain, 1, style)
            }
        }
    }

    func startSequence(isEmpty: Bool) {
        let style = isEmpty ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE
        emit { yaml_sequence_start_event_initialize(&$0, nil, nil, 1, style) }
    }

    func endSequence() { emit { yaml_sequence_end_event_initialize(&$0) } }

    func startMapping(isEmpty: Bool) {
        let style = isEmpty ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE
        emit { yaml_mapping_start_event_initialize(&$0, nil, nil, 1, style) }
    }

    func endMapping() { emit { yaml_mapping_end_event_initialize(&$0) } }

    private func emit(_ make: (inout yaml_event_t) -> Int32) {
        var event = yaml_event_t()
        if make(&event) == 1 { yaml_emitter_emit(emitter, &event) }
    }
}
