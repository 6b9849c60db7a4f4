import HTTPTypes
import StructuredData
import Testing

/// Somebody who writes without a pause: makes, changes, completes and reopens tasks, in the shared project and elsewhere.
struct Writer {
    let person: APIUser
    let project: String
    let ledger: Ledger
    var random: SeededRandom
    /// Their ids and whether they are done; nobody else changes them.
    private var own: [(id: String, isDone: Bool)] = []
    private var count = 0

    init(_ person: APIUser, sharing project: String, ledger: Ledger, random: SeededRandom) {
        self.person = person
        self.project = project
        self.ledger = ledger
        self.random = random
    }

    /// Until the ledger is closed.
    mutating func run() async {
        while !ledger.isClosed, !Task.isCancelled {
            do { try await write() } catch {
                Issue.record("\(person.email): \(error)")
                return
            }
        }
    }

    private mutating func write() async throws {
        count += 1
        let some = own.indices.randomElement(using: &random)
        let operations: [JSON]
        switch (Int.random(in: 0..<10, using: &random), some) {
        case (0..<3, let some?):
            operations = [
                [
                    "op": "update", "id": .string(own[some].id),
                    "patch": ["title": .string("\(person.email) changes it, \(count)")],
                ]
            ]
        case (3..<5, let some?):
            operations = [["op": own[some].isDone ? "reopen" : "complete", "id": .string(own[some].id)]]
            own[some].isDone.toggle()
        default:
            operations = (0..<Int.random(in: 1...3, using: &random)).map { number in
                var task: JSON = ["title": .string("\(person.email) \(count).\(number)")]
                if Bool.random(using: &random) { task["project"] = .string(project) }
                return ["op": "create", "task": task]
            }
        }
        let answer = try await person.insist(.post, "/v1/tasks/bulk", ["operations": .array(operations)])
        let tasks = (answer["results"]?.array ?? []).compactMap { $0["task"] }
        try #require(tasks.count == operations.count, "\(answer.text)")
        if operations[0]["op"] == "create" { own += tasks.map { (id: $0["id"]?.string ?? "", isDone: false) } }
        ledger.record(tasks)
    }
}
