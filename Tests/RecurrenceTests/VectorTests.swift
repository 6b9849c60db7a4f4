import ChildProcess
import Foundation
import Recurrence
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct VectorTests {
    @Test func `there are 375 cases`() { #expect(Vector.all.count == 375) }

    @Test(arguments: Vector.all.filter { !$0.isRefused })
    func `the instances are those on which the others agree`(_ vector: Vector) throws {
        let set = try vector.set()
        var iterator = set.occurrences.makeIterator()
        var found: [String] = []
        let begin = processorTime()
        while found.count < vector.limit, let occurrence = iterator.next() { found.append(vector.text(occurrence)) }
        #expect(found == vector.expected)
        if vector.expected.count < vector.limit { #expect(iterator.next() == nil, "the set ends") }
        #expect(processorTime() - begin < .seconds(1))
    }

    @Test(arguments: Vector.all.filter(\.isRefused))
    func `what is no rule is refused with a place in the text`(_ vector: Vector) {
        #expect {
            _ = try vector.set()
        } throws: { error in
            guard let error = error as? RecurrenceError else { return false }
            return !error.message.isEmpty && (0...vector.rule.count).contains(error.offset)
        }
    }

    @Test(arguments: Vector.all.filter { !$0.isRefused })
    func `reading a printed rule gives the same rule`(_ vector: Vector) throws {
        let rule = try RecurrenceRule(vector.rule)
        #expect(try RecurrenceRule(rule.text) == rule)
        #expect(try RecurrenceRule(rule.text).text == rule.text)
    }

    // MARK: - The command

    private func expand(_ input: String, _ arguments: String...) async throws -> [JSON] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "recurrence-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "input")
        try Data(input.utf8).write(to: file)
        let todo = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "todo")
        let specification = ChildProcess.Specification(
            path: "/bin/sh",
            arguments: ["-c", "exec \"$@\" 2>&1 <\(file.path)", "sh", todo.path, "recurrence", "expand"] + arguments,
            environment: ProcessInfo.processInfo.environment)
        guard case .ended(.exited(0), let output) = try await ChildProcess.capture(specification) else {
            throw CancellationError()
        }
        return try String(decoding: output, as: UTF8.self).split(separator: "\n").map { try JSON(parsing: $0) }
    }

    @Test func `todo recurrence expand answers all cases line by line`() async throws {
        let answers = try await expand(try String(contentsOf: Vector.file, encoding: .utf8), "--jsonl")
        #expect(answers.count == Vector.all.count)
        for (vector, answer) in zip(Vector.all, answers) {
            #expect(answer["id"]?.string == vector.id)
            if vector.isRefused {
                #expect(answer["error"]?.string?.isEmpty == false && answer["instances"] == nil, "\(vector.id)")
            } else {
                #expect(answer["instances"]?.array?.compactMap(\.string) == vector.expected, "\(vector.id)")
                if vector.expected.count < vector.limit { #expect(answer["ended"] == true, "\(vector.id)") }
            }
        }
    }

    @Test func `a bad line is answered and the rest goes on`() async throws {
        let good = #"{"id":7,"dtstart":"2026-01-31","rrule":"FREQ=DAILY;COUNT=2","limit":2}"#
        let answers = try await expand("nonsense\n[1]\n{\"id\":\"a\"}\n\n\(good)\n", "--jsonl")
        #expect(answers.count == 5)
        #expect(answers[0]["id"] == .null && answers[0]["error"] != nil)
        #expect(answers[1]["error"]?.string == "expected an object with dtstart and rrule")
        #expect(answers[2] == ["id": "a", "error": "dtstart must be a string"])
        #expect(answers[4] == ["id": 7, "instances": ["2026-01-31", "2026-02-01"], "ended": true])
    }

    @Test func `without the flag standard input is one document`() async throws {
        let request = #"{"dtstart":"2026-03-28T02:30:00","tzid":"Europe/Berlin","rrule":"freq=daily","limit":2}"#
        let expected: JSON = [
            "id": nil, "instances": ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z"], "ended": false,
        ]
        #expect(try await expand(request.replacing(",", with: ",\n")) == [expected])
        #expect(try await expand("[\(request), \(request)]") == [expected, expected])
        let zone = try await expand(request.replacing("Berlin", with: "Nowhere"))
        #expect(zone.first?["error"]?.string == "tzid must be an IANA zone, as Europe/Berlin")
        let rule = try await expand(request.replacing("daily", with: "dayly"))
        #expect(rule.first?["error"]?.string?.contains("SECONDLY") == true)
    }

    @Test func `what is taken away or added in UTC is an instant, in whatever zone the rule is`() async throws {
        // On 1 November 2026 the clocks of New York show 01:30 at 05:30 in UTC, and again at 06:30.
        let rule = #""dtstart":"2026-10-30T01:30:00","rrule":"FREQ=DAILY;COUNT=4""#
        let taken = #""exdate":["2026-10-30T01:30:00","2026-10-31T05:30:00Z","2026-11-02T05:30:00Z"]"#
        let (zone, again) = (#""tzid":"America/New_York""#, #"["2026-11-01T06:30:00Z"]"#)
        let requests = [
            #"{\#(rule),\#(zone),\#(taken),"rdate":\#(again)}"#, #"{\#(rule),\#(zone),"exdate":\#(again)}"#,
            #"{\#(rule),"exdate":\#(again)}"#,
        ]
        let answers = try await expand("[\(requests.joined(separator: ","))]")
        let texts = answers.map { $0["instances"]?.array?.compactMap(\.string) }
        #expect(texts[0] == ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"])
        #expect(texts[1]?.suffix(2) == ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"])
        #expect(answers[2]["error"]?.string == "\"2026-11-01T06:30:00Z\" is in UTC, but dtstart is in no zone")
    }
}
