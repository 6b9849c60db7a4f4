import ArgumentParser
import Glibc
import Recurrence
import StructuredData

struct RecurrenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recurrence", abstract: "Try out recurrence rules.", subcommands: [RecurrenceExpand.self])
}

struct RecurrenceExpand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expand", abstract: "List the instances of recurrence rules.",
        discussion: """
            Reads objects from standard input and answers one line each: {"id":…,"instances":[…],"ended":true|false}, or \
            {"id":…,"error":"why"}. An object has dtstart (2026-01-31T09:00:00, with Z in UTC, or 2026-01-31 for whole \
            days), rrule, and maybe id, tzid (an IANA zone), exdate and rdate (lists in the form of dtstart; \
            where there is a zone, with Z in UTC too), and limit (10 if not given). Instances are in UTC when there is \
            a zone, otherwise in the form of dtstart.

            echo '{"dtstart":"2026-01-30T17:00:00","tzid":"Europe/Berlin","rrule":"FREQ=MONTHLY;BYDAY=-1FR"}' \
            | todo recurrence expand
            """)

    @Flag(help: "One object on each line, answered as it comes; otherwise one object, or an array of them.")
    var jsonl = false

    func run() throws {
        guard jsonl else {
            var text = ""
            while let line = readLine(strippingNewline: false) { text += line }
            for request in try Self.requests(text) { answer(request) }
            return
        }
        while let line = readLine() {
            do {
                answer(try JSON(parsing: line))
            } catch {
                write(["id": nil, "error": .string("this line is no JSON: \(error)")])
            }
        }
    }

    private static func requests(_ text: String) throws -> [JSON] {
        do {
            let json = try JSON(parsing: text)
            return json.array ?? [json]
        } catch {
            throw CommandFailure("standard input is no JSON: \(error); for one object on each line use --jsonl")
        }
    }

    private func answer(_ request: JSON) {
        let id = request["id"] ?? .null
        do {
            let (instances, ended) = try ExpansionRequest(request).expanded()
            write(["id": id, "instances": .array(instances.map { .string($0) }), "ended": .bool(ended)])
        } catch {
            write(["id": id, "error": .string(error.message)])
        }
    }

    /// At once, for a program that waits for each answer.
    private func write(_ answer: JSON) {
        print(answer.text)
        fflush(nil)
    }
}
