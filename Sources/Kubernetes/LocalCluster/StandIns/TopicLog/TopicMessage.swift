/// A message of a topic.
public struct TopicMessage: Sendable, Hashable {
    /// Order is kept among messages with the same key; nil spreads them over the partitions.
    public var key: String?
    public var headers: [String: String]
    public var value: [UInt8]
    /// The partition that it must go to, whatever its key.
    public var partition: Int?

    public init(key: String? = nil, headers: [String: String] = [:], value: [UInt8], partition: Int? = nil) {
        self.key = key
        self.headers = headers
        self.value = value
        self.partition = partition
    }
}

/// A message as it is read from the log.
public struct StoredMessage: Sendable, Hashable {
    public let message: TopicMessage
    public let partition: Int
    public let offset: Int
    /// When it was published, since 1970.
    public let milliseconds: Int
}
