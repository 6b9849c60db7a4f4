import ChildProcess
import Foundation
import HTTPTypes
import StructuredData
import Testing

/// kill -9 of everything there is, thirty times, while people write: what they were told is done is done, for everybody.
@Suite(.loadsProcessorsForLong, .inTime) struct KillTests {
    private static let victims: [(victim: Killer.Victim, times: Int)] = [
        (.api, 8), (.audit, 7), (.realtime, 6), (.database, 5), (.sidecars, 4),
    ]

    @Test func whatWasAcknowledgedIsEverywhereOnceAfterThirtyKills() async throws {
        var random = SeededRandom(for: "kill test")
        // Not a port that the kernel gives to clients: one of those that try to come back would have it some day.
        let site = try await TodoUp.start(port: .random(in: 20_000..<30_000))
        let team = try await Team.make(at: site.address)
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for replica in team.replicas { group.addTask { await replica.run() } }
            await withTaskGroup(of: Void.self) { writers in
                for person in team.people {
                    let writer = Writer(person, sharing: team.project, ledger: team.ledger, random: random.split())
                    writers.addTask {
                        var writer = writer
                        await writer.run()
                    }
                }
                await Self.killAll(site, while: team.ledger, using: &random)
                team.ledger.close()
            }
            print(
                "kill test: \(team.ledger.answers) requests, \(team.ledger.positions.count) writes acknowledged, 30 kills in",
                (ContinuousClock.now - start).inSeconds)
            try await team.expectEverythingEverywhere()
            try await Self.expectWholeChain(site)
            print("kill test: all was everywhere after", (ContinuousClock.now - start).inSeconds)
            group.cancelAll()
        }
        #expect(try await site.process.stop(SIGINT) == .exited(0), "\(site.process.output)")
    }

    /// Each kill comes when a random number of requests more were answered, so that it falls anywhere into their making.
    private static func killAll(_ site: TodoUp, while ledger: Ledger, using random: inout SeededRandom) async {
        var killer = Killer(site)
        do {
            for victim in victims.flatMap({ Array(repeating: $0.victim, count: $0.times) }).shuffled(using: &random) {
                try await whenAnswered(Int.random(in: 1...30, using: &random), ledger, site)
                try await killer.kill(victim, using: &random)
            }
            try await whenAnswered(20, ledger, site)
        } catch { Issue.record(error) }
    }

    private static func whenAnswered(_ more: Int, _ ledger: Ledger, _ site: TodoUp) async throws {
        let goal = ledger.answers + more
        _ = try await eventually(within: .seconds(60), "writes go on; \(site.process.output.suffix(2000))") {
            ledger.answers >= goal ? true : nil
        }
    }

    /// What the log holds can still be verified by anybody.
    private static func expectWholeChain(_ site: TodoUp) async throws {
        let folder = try TemporaryFolder()
        let export = folder.url.appending(path: "audit.ndjson").path
        let got = try await Command.run(
            "curl",
            ["-sf", "-o", export, "-H", "Authorization: Bearer \(site.token)", "\(site.address)/v1/audit/export"])
        #expect(got.status == 0, "\(got)")
        let verified = try await Command.run(Command.todo, ["audit", "verify", "--file", export])
        #expect(verified.status == 0, "\(verified)")
    }
}

/// Four people who share a project, each with a connected client.
struct Team: Sendable {
    let people: [APIUser]
    let replicas: [LiveReplica]
    let project: String
    let ledger = Ledger()

    static func make(at site: String) async throws -> Team {
        var people: [APIUser] = []
        for name in ["ada", "ben", "cleo", "dan"] { people.append(try await .signUp(name, at: site)) }
        let project = try await people[0].insist(.post, "/v1/projects", ["name": "Shared"])["id"]?.string ?? ""
        for guest in people.dropFirst() {
            try await people[0].insist(
                .post, "/v1/projects/\(project)/members", ["email": .string(guest.email), "role": "editor"])
        }
        return Team(people: people, replicas: people.map { LiveReplica(of: $0) }, project: project)
    }

    func expectEverythingEverywhere() async throws {
        for (person, replica) in zip(people, replicas) {
            let tasks = ledger.tasks(of: person, sharing: project)
            #expect(!tasks.isEmpty)
            let rows = try await person.list("/v1/tasks?limit=200")
            #expect(rows.count == tasks.count, "nothing was made twice")
            Self.expect(rows, are: tasks, "in the table, of \(person.email)")
            let changes = try await person.changes().filter { $0["type"] == "task" }
            Self.expect(changes.compactMap { $0["task"] }, are: tasks, "in the changes of \(person.email)")
            try await expectEachInTheLogOnce(person)
            // What no later event shows to be missing, realtime finds when it asks the API the next time, every 40 s.
            _ = try await eventually(
                within: .seconds(60), "all of \(person.email) has reached the connected client"
            ) {
                replica.now.tasks == tasks ? true : nil
            }
            let state = replica.now
            #expect(state.repeated.isEmpty, "\(state.repeated.count) came twice, as \(state.repeated[0].text)")
            #expect(state.liveEvents > 0)
            print(
                "kill test: \(person.email): \(tasks.count) tasks, \(state.connections) connections,",
                "\(state.liveEvents) live events")
        }
    }

    private static func expect(_ found: [JSON], are tasks: [String: JSON], _ place: String) {
        let found = Dictionary(found.map { ($0["id"]?.string ?? "", $0) }) { $1 }
        let wrong = Set(found.keys).union(tasks.keys).filter { found[$0] != tasks[$0] }
        guard let one = wrong.first else { return }
        Issue.record(
            "\(place): \(wrong.count) are not as acknowledged: \(found[one]?.text ?? "nothing"), but \(tasks[one]?.text ?? "nothing")"
        )
    }

    /// The log is behind by what a consumer that was killed had yet to take.
    private func expectEachInTheLogOnce(_ person: APIUser) async throws {
        let expected = Set(ledger.positions.filter { $0.stream == person.id }.map(\.seq))
        var logged: [Int] = []
        _ = try await eventually(
            within: .seconds(60),
            "all of \(person.email) in the audit log; missing \(expected.subtracting(logged).sorted())"
        ) {
            let path = "/v1/audit?limit=200&type=dev.todo-operator.task.*"
            let own = try await person.list(path).filter { $0["user"]?.string == person.id }
            logged = own.compactMap { $0.at("content", "data", "seq")?.int }
            return expected.isSubset(of: logged) ? true : nil
        }
        #expect(logged.count == Set(logged).count, "an event is in the log twice")
    }
}
