/// What the topic log keeps, as the payload of one frame.
enum LogRecord {
    /// A message of a partition.
    case message(MessageHead)
    /// The end of the checkpoint with which every segment but the first begins: where that is and when it was begun.
    case segment(base: UInt64, milliseconds: Int64)
    /// A topic has been made.
    case topic(id: UInt32, name: String, partitions: UInt32)
    /// A partition's next offset, repeated in each segment: messages before it may be gone.
    case floor(topic: UInt32, partition: UInt32, next: UInt64)
    /// What a group has done with a partition: the offset of the next message for it.
    case commit(group: String, topic: UInt32, partition: UInt32, offset: UInt64, milliseconds: Int64)

    struct MessageHead {
        let topic: UInt32
        let partition: UInt32
        let offset: UInt64
        let milliseconds: Int64
    }

    private enum Kind: UInt8 { case message = 1, topic, floor, commit, segment }

    /// Nil for a payload that no version of this code has written.
    init?(_ payload: UnsafeRawBufferPointer) {
        var reader = FieldReader(payload)
        guard let kind = reader.integer(UInt8.self).flatMap(Kind.init) else { return nil }
        switch kind {
        case .message:
            guard let head = Self.head(&reader) else { return nil }
            self = .message(head)
        case .segment:
            guard let base = reader.integer(UInt64.self), let milliseconds = reader.integer(Int64.self) else {
                return nil
            }
            self = .segment(base: base, milliseconds: milliseconds)
        case .topic:
            guard let id = reader.integer(UInt32.self), let name = reader.text(),
                let partitions = reader.integer(UInt32.self)
            else { return nil }
            self = .topic(id: id, name: name, partitions: partitions)
        case .floor:
            guard let topic = reader.integer(UInt32.self), let partition = reader.integer(UInt32.self),
                let next = reader.integer(UInt64.self)
            else { return nil }
            self = .floor(topic: topic, partition: partition, next: next)
        case .commit:
            guard let group = reader.text(), let topic = reader.integer(UInt32.self),
                let partition = reader.integer(UInt32.self), let offset = reader.integer(UInt64.self),
                let milliseconds = reader.integer(Int64.self)
            else { return nil }
            self = .commit(
                group: group, topic: topic, partition: partition, offset: offset, milliseconds: milliseconds)
        }
    }

    private static func head(_ reader: inout FieldReader) -> MessageHead? {
        guard let topic = reader.integer(UInt32.self), let partition = reader.integer(UInt32.self),
            let offset = reader.integer(UInt64.self), let milliseconds = reader.integer(Int64.self)
        else { return nil }
        return MessageHead(topic: topic, partition: partition, offset: offset, milliseconds: milliseconds)
    }

    static func write(_ message: TopicMessage, _ head: MessageHead, into bytes: inout [UInt8]) {
        bytes.append(Kind.message.rawValue)
        bytes.append(head.topic)
        bytes.append(head.partition)
        bytes.append(head.offset)
        bytes.append(head.milliseconds)
        bytes.append(UInt8(message.key == nil ? 0 : 1))
        if let key = message.key { bytes.append(text: key) }
        bytes.append(UInt32(message.headers.count))
        for (name, value) in message.headers {
            bytes.append(text: name)
            bytes.append(text: value)
        }
        bytes.append(field: message.value)
    }

    static func message(_ payload: UnsafeRawBufferPointer) -> StoredMessage? {
        var reader = FieldReader(payload)
        guard reader.integer(UInt8.self) == Kind.message.rawValue, let head = head(&reader),
            let hasKey = reader.integer(UInt8.self)
        else { return nil }
        let key = hasKey == 1 ? reader.text() : nil
        guard let count = reader.integer(UInt32.self) else { return nil }
        var headers: [String: String] = [:]
        for _ in 0..<count {
            guard let name = reader.text(), let value = reader.text() else { return nil }
            headers[name] = value
        }
        guard let value = reader.field() else { return nil }
        return StoredMessage(
            message: TopicMessage(key: key, headers: headers, value: Array(value)), partition: Int(head.partition),
            offset: Int(head.offset), milliseconds: Int(head.milliseconds))
    }

    func write(into bytes: inout [UInt8]) {
        switch self {
        case .message: break  // written by the other `write`, which has the whole message
        case .segment(let base, let milliseconds):
            bytes.append(Kind.segment.rawValue)
            bytes.append(base)
            bytes.append(milliseconds)
        case .topic(let id, let name, let partitions):
            bytes.append(Kind.topic.rawValue)
            bytes.append(id)
            bytes.append(text: name)
            bytes.append(partitions)
        case .floor(let topic, let partition, let next):
            bytes.append(Kind.floor.rawValue)
            bytes.append(topic)
            bytes.append(partition)
            bytes.append(next)
        case .commit(let group, let topic, let partition, let offset, let milliseconds):
            bytes.append(Kind.commit.rawValue)
            bytes.append(text: group)
            bytes.append(topic)
            bytes.append(partition)
            bytes.append(offset)
            bytes.append(milliseconds)
        }
    }
}
