internal import KubernetesClient

/// Lines of a container's log as container runtimes keep them (CRI logging format): time, stream, whether the line is
/// whole (`F`) or goes on (`P`), text.
enum LogLine {
    static func encode(_ text: some Collection<UInt8>, isWhole: Bool, time: KubernetesTime) -> [UInt8] {
        var line = Array("\(time.microText) stdout \(isWhole ? "F" : "P") ".utf8)
        line.reserveCapacity(line.count + text.count + 1)
        line.append(contentsOf: text)
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// What a reader gets of one line without its line break; nil when the line is damaged.
    static func decode(_ line: ArraySlice<UInt8>) -> (time: ArraySlice<UInt8>, isWhole: Bool, text: ArraySlice<UInt8>)?
    {
        let space = UInt8(ascii: " ")
        guard let first = line.firstIndex(of: space),
            let second = line[(first + 1)...].firstIndex(of: space),
            let third = line[(second + 1)...].firstIndex(of: space), third == second + 2
        else { return nil }
        return (line[..<first], line[second + 1] == UInt8(ascii: "F"), line[(third + 1)...])
    }
}

/// What of a log a reader wants, applied line by line.
struct LogFilter: Sendable {
    var since: KubernetesTime?
    var timestamps = false

    /// The line as it is sent; nil when it is too old or damaged.
    func output(_ line: ArraySlice<UInt8>) -> [UInt8]? {
        guard let (time, isWhole, text) = LogLine.decode(line) else { return nil }
        if let since {
            guard let stamp = KubernetesTime(String(decoding: time, as: UTF8.self)), stamp >= since else { return nil }
        }
        var result: [UInt8] = []
        result.reserveCapacity(time.count + text.count + 2)
        if timestamps {
            result.append(contentsOf: time)
            result.append(UInt8(ascii: " "))
        }
        result.append(contentsOf: text)
        if isWhole { result.append(UInt8(ascii: "\n")) }
        return result
    }
}
