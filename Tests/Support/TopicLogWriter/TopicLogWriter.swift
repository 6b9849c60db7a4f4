import Glibc
import TopicLog

// Publishes numbered messages into the folder that is given until it is killed, and says which ones were acknowledged:
// a line `KEY NUMBER` for each, written when `publish` had returned. Numbers of a key begin where the log ends. What is not
// taken is left behind: the next numbers follow.

@main struct TopicLogWriter {
    static let keys = ["a", "b", "c", "d", "e"]

    static func main() async throws {
        var configuration = TopicLog.Configuration(folder: CommandLine.arguments[1])
        configuration.segmentBytes = 64 << 10
        configuration.retentionBytes = 1 << 30
        let log = try TopicLog(configuration)
        let start = Int(CommandLine.arguments[2]) ?? 0
        await withTaskGroup(of: Void.self) { group in
            for key in keys { group.addTask { await publish(key, from: start, in: log) } }
        }
    }

    static func publish(_ key: String, from start: Int, in log: TopicLog) async {
        var number = start
        while true {
            let count = Int.random(in: 1...20)
            let messages = (number..<number + count).map { number in
                let padding = String(repeating: "x", count: Int.random(in: 0...2000))
                return TopicMessage(key: key, value: Array("\(number) \(padding)".utf8))
            }
            defer { number += count }
            do { try await log.publish(messages, to: "t") } catch {
                try? await Task.sleep(for: .milliseconds(10))
                continue
            }
            let lines = (number..<number + count).map { "\(key) \($0)\n" }.joined()
            _ = lines.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
        }
    }
}
