internal import Concurrency
internal import Glibc
public import Logging
internal import StructuredData

/// Writes each log event as one line, in one of two formats.
///
/// `json`: `{"ts":…,"level":…,"logger":…,"msg":…,"error":…,<metadata>…}`. `ts` is RFC 3339 in UTC with microseconds.
/// Metadata keys become members of the same object; one that would hide a member named above gets a trailing underscore.
///
/// `text`: `12:30:01 warning controller: message key=value`, for a person at a terminal. Control characters are escaped,
/// so that what a stranger sent can neither forge a line nor drive the terminal.
public struct LineLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Telemetry.LogFormat
    private let sink: @Sendable ([UInt8]) -> Void

    /// `sink` takes one line with its line feed; it must write it in one piece. The default is standard error.
    public init(
        label: String, level: Logger.Level = .info, format: Telemetry.LogFormat = .json,
        sink: @escaping @Sendable ([UInt8]) -> Void = LineLogHandler.standardError
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.sink = sink
    }

    /// One `write` per line, so that lines of several processes on one pipe stay whole (up to PIPE_BUF).
    @Sendable public static func standardError(_ line: [UInt8]) {
        line.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                let written = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
                if written < 0 && errno != EINTR { return }
                sent += max(0, written)
            }
        }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var merged = metadata
        if let provided = metadataProvider?.get() { merged.merge(provided) { $1 } }
        if let own = event.metadata { merged.merge(own) { $1 } }
        let sorted = merged.sorted { $0.key < $1.key }
        let line =
            switch format {
            case .json: json(event, sorted)
            case .text: text(event, sorted)
            }
        sink(line + [UInt8(ascii: "\n")])
    }

    private func json(_ event: LogEvent, _ metadata: [(key: String, value: Logger.Metadata.Value)]) -> [UInt8] {
        var line = JSONObject()
        line["ts"] = .string(Timestamp.now())
        line["level"] = .string(event.level.rawValue)
        line["logger"] = .string(label)
        line["msg"] = .string(event.message.description)
        if let error = event.error { line["error"] = .string("\(error)") }
        for (key, value) in metadata { line[line[key] == nil ? key : key + "_"] = Self.json(value) }
        return JSON.object(line).encoded()
    }

    private static func json(_ value: Logger.Metadata.Value) -> JSON {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let number as Int): JSON(number)
        case .stringConvertible(let number as Double): .number(JSONNumber(number))
        case .stringConvertible(let flag as Bool): .bool(flag)
        case .stringConvertible(let other): .string(other.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let members):
            members.keys.sorted().reduce(into: JSON.object(JSONObject())) { $0[$1] = members[$1].map(json) }
        }
    }

    private func text(_ event: LogEvent, _ metadata: [(key: String, value: Logger.Metadata.Value)]) -> [UInt8] {
        var text = "\(Timestamp.now().dropFirst(11).prefix(8)) \(event.level.rawValue) \(label): \(event.message)"
        if let error = event.error { text += " error=\(error)" }
        for (key, value) in metadata { text += " \(key)=\(value)" }
        return Array(Self.printable(text).utf8)
    }

    /// With `\n`, `\r`, `\t` and `\u{1B}` written out for control characters, of C0 and of C1.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            if scalar.properties.generalCategory == .control {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
    }
}
