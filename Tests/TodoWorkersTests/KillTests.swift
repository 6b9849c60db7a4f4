import ChildProcess
import Foundation
import Testing
import TodoStore

/// `todo serve workers` as processes of their own, killed and stopped while they fire.
@Suite(.serialized, .timeLimit(.minutes(10))) struct KillTests {
    private func start(_ here: Working) async throws -> ChildProcess {
        let todo = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "todo")
        var specification = ChildProcess.Specification(
            path: todo.path, arguments: ["serve", "workers"],
            environment: ProcessInfo.processInfo.environment.merging([
                "DATABASE_URI": here.uri, "PORT": "0", "TODO_BIND_ADDRESS": "127.0.0.1", "LOG_LEVEL": "error",
            ]) { $1 })
        specification.standardOutput = .null
        specification.signalWhenParentEnds = SIGKILL
        return try await ChildProcess.start(specification)
    }

    @Test func `killed again and again in the midst of it, each reminder has fired once`() async throws {
        try await Working.with { here in
            try await here.plant(4000, first: "now() + interval '1 second'", apart: 1)
            var processes = [try await start(here), try await start(here)]
            for round in 0..<6 {
                _ = try await here.until { try await here.count("fired") >= 400 + round * 500 }
                processes[round % 2].kill()
                processes[round % 2] = try await start(here)
            }
            #expect(try await here.until { try await here.count("fired") == 4000 })
            #expect(try await here.told() == "4000 4000")
            for process in processes { process.kill() }
        }
    }

    @Test func `one that was stopped for longer than its deadline does nothing late when it goes on`() async throws {
        try await Working.with { here in
            try await here.plant(3000, first: "now() + interval '1 second'", apart: 1)
            let (stopped, other) = (try await start(here), try await start(here))
            _ = try await here.until { try await here.count("fired") >= 1000 }
            kill(stopped.pid, SIGSTOP)
            #expect(try await here.until { try await here.count("fired") == 3000 }, "the other one takes over")
            try await Task.sleep(for: .seconds(6))  // longer than the deadline of what it may have been about to send
            let before = try await here.sql("SELECT count(*), max(id) FROM outbox")
            kill(stopped.pid, SIGCONT)
            try await Task.sleep(for: .seconds(1))  // whatever it was about to do it has done by then
            #expect(try await here.sql("SELECT count(*), max(id) FROM outbox") == before)
            #expect(try await here.told() == "3000 3000")
            for process in [stopped, other] { process.kill() }
        }
    }
}
