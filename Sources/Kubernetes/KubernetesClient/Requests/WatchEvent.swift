internal import StructuredData

/// What a watch tells.
public enum WatchEvent: Sendable, Hashable {
    case added(KubernetesObject)
    case modified(KubernetesObject)
    /// With the last state of the object.
    case deleted(KubernetesObject)
    /// Everything up to `resourceVersion` has been sent; `initialEventsEnd` closes the initial events.
    case bookmark(resourceVersion: String, initialEventsEnd: Bool)
    /// The server cannot go on; `status.isGone` asks for a new list. The watch ends after it.
    case error(Status)
    /// An event that cannot be understood. The watch goes on.
    case undecodable(bytes: [UInt8], reason: String)
}

/// Cuts a watch's answer into events: one JSON object a line, in chunks that respect no borders.
///
/// Each line is decoded by itself, so that one bad event costs only itself.
struct WatchDecoder: Sendable {
    /// Longest line; the API server's own limit for an object is a tenth of it.
    static let maximumLineLength = 32 << 20
    private static let newline = UInt8(ascii: "\n")

    private let limit: Int
    private var line: [UInt8] = []
    /// The rest of a line that is too long is being passed over.
    private var skipping = false

    init(maximumLineLength: Int = maximumLineLength) { limit = maximumLineLength }

    /// The events that `chunk` completes.
    mutating func feed(_ chunk: [UInt8]) -> [WatchEvent] {
        var events: [WatchEvent] = []
        var rest = chunk[...]
        while let end = rest.firstIndex(of: Self.newline) {
            take(rest[..<end], into: &events)
            finishLine(into: &events)
            rest = rest[(end + 1)...]
        }
        take(rest, into: &events)
        return events
    }

    /// The event of a last line without its newline. A line that was cut off gives none: the next watch sends it again.
    mutating func finish() -> WatchEvent? {
        defer { line = [] }
        guard !skipping, !line.isEmpty, let json = try? JSON(parsing: line) else { return nil }
        return Self.event(json, bytes: line)
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, into events: inout [WatchEvent]) {
        guard !skipping else { return }
        guard line.count + bytes.count <= limit else {
            skipping = true
            events.append(.undecodable(bytes: Array(line.prefix(1024)), reason: "longer than \(limit) bytes"))
            line = []
            return
        }
        line.append(contentsOf: bytes)
    }

    private mutating func finishLine(into events: inout [WatchEvent]) {
        defer {
            line.removeAll(keepingCapacity: line.capacity < 1 << 20)
            skipping = false
        }
        guard !skipping, line.contains(where: { !Self.isBlank($0) }) else { return }
        events.append(Self.decode(line))
    }

    static func decode(_ bytes: [UInt8]) -> WatchEvent {
        do { return event(try JSON(parsing: bytes), bytes: bytes) } catch {
            return .undecodable(bytes: bytes, reason: "not JSON: \(error)")
        }
    }

    private static func event(_ json: JSON, bytes: [UInt8]) -> WatchEvent {
        guard let type = json["type"]?.string, let body = json["object"], body.object != nil else {
            return .undecodable(bytes: bytes, reason: "no type and object")
        }
        if type == "ERROR" { return .error(Status(json: body)) }
        let object = KubernetesObject(body)
        if type == "BOOKMARK" {
            guard !object.resourceVersion.isEmpty else {
                return .undecodable(bytes: bytes, reason: "bookmark without metadata.resourceVersion")
            }
            return .bookmark(
                resourceVersion: object.resourceVersion,
                initialEventsEnd: object.annotations["k8s.io/initial-events-end"] == "true")
        }
        guard !object.name.isEmpty, !object.resourceVersion.isEmpty else {
            return .undecodable(bytes: bytes, reason: "object without metadata.name or metadata.resourceVersion")
        }
        switch type {
        case "ADDED": return .added(object)
        case "MODIFIED": return .modified(object)
        case "DELETED": return .deleted(object)
        default: return .undecodable(bytes: bytes, reason: "unknown type \(type)")
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 13 || byte == 9 }
}
