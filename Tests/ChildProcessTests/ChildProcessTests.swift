import ChildProcess
import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct ChildProcessTests {
    static func output(_ name: String) -> URL {
        FileManager.default.temporaryDirectory.appending(path: "child-\(name)-\(UUID().uuidString)")
    }

    @Test func itsOutputEnvironmentAndExitStatusArrive() async throws {
        let file = Self.output("echo")
        defer { try? FileManager.default.removeItem(at: file) }
        var specification = ChildProcess.Specification(
            path: "/bin/sh", arguments: ["-c", "echo \"$A in $PWD\"; exit 7"], environment: ["A": "b"])
        specification.workingDirectory = "/usr"
        specification.standardOutput = .file(file.path)
        let child = try await ChildProcess.start(specification)
        #expect(await child.exit == .exited(7))
        #expect(try String(contentsOf: file, encoding: .utf8) == "b in /usr\n")
        #expect(!child.isRunning)
        #expect(!child.signal(SIGTERM))
    }

    @Test func aProgramThatIsNotThereIsAnError() async throws {
        let error = await #expect(throws: ChildProcessError.self) {
            try await ChildProcess.start(.init(path: "/no/such/program"))
        }
        #expect(error?.description == "cannot start /no/such/program: No such file or directory")
    }

    @Test func oneThatIgnoresTermIsKilled() async throws {
        let ready = Self.output("ready")
        defer { try? FileManager.default.removeItem(at: ready) }
        let child = try await ChildProcess.start(
            .init(
                path: "/bin/sh", arguments: ["-c", "trap '' TERM; : > \(ready.path); while :; do sleep 1; done"],
                environment: ["PATH": "/usr/bin:/bin"]))
        while !FileManager.default.fileExists(atPath: ready.path) { await Task.yield() }
        #expect(await child.stop(SIGTERM, patience: .milliseconds(100)) == .signalled(SIGKILL))
    }

    @Test func manyAtOnceEachEndOnce() async throws {
        let codes = try await withThrowingTaskGroup(of: Int32.self) { group in
            for number in 0..<50 {
                group.addTask {
                    let child = try await ChildProcess.start(
                        .init(path: "/bin/sh", arguments: ["-c", "exit \(number)"]))
                    return await child.exit.code
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.sorted() == Array(0..<50))
    }

    @Test func itsOutputIsCapturedWhole() async throws {
        let captured = try await ChildProcess.capture(
            .init(path: "/bin/sh", arguments: ["-c", "head -c 300000 /dev/zero; read line; exit 4"]))
        #expect(captured == .ended(.exited(4), output: [UInt8](repeating: 0, count: 300_000)))
    }

    @Test func capturesAtOnceDoNotHoldEachOtherUp() async throws {
        async let slow = ChildProcess.capture(
            .init(path: "/bin/sleep", arguments: ["1000"]), deadline: .milliseconds(500))
        for _ in 0..<20 {
            let captured = try await ChildProcess.capture(.init(path: "/bin/echo", arguments: ["a"]))
            #expect(captured == .ended(.exited(0), output: Array("a\n".utf8)))
        }
        #expect(try await slow == .deadlineExceeded)
    }

    @Test func lateAndTalkativeProgramsAreKilled() async throws {
        let late = try await ChildProcess.capture(
            .init(path: "/bin/sh", arguments: ["-c", "exec sleep 1000"]), deadline: .milliseconds(30))
        #expect(late == .deadlineExceeded)
        let error = await #expect(throws: ChildProcessError.self) {
            try await ChildProcess.capture(.init(path: "/usr/bin/yes"), limit: 100_000)
        }
        #expect(error?.errno == EFBIG)
    }

    @Test func cancellingKills() async throws {
        let task = Task { try await ChildProcess.capture(.init(path: "/bin/sleep", arguments: ["1000"])) }
        task.cancel()
        #expect(try await task.value == .ended(.signalled(SIGKILL), output: []))
    }

    @Test func whatIsLeftInTheBackgroundIsNotWaitedFor() async throws {
        let captured = try await ChildProcess.capture(
            .init(path: "/bin/sh", arguments: ["-c", "sleep 1000 & echo $!"], environment: ["PATH": "/usr/bin:/bin"]))
        guard case .ended(.exited(0), let output) = captured else {
            Issue.record("\(captured)")
            return
        }
        let background = try #require(Int32(String(decoding: output.dropLast(), as: UTF8.self)))
        #expect(kill(background, SIGKILL) == 0, "it runs on")
    }

    @Test func aLateProgramIsKilledWithWhatItStarted() async throws {
        let file = Self.output("grandchild")
        defer { try? FileManager.default.removeItem(at: file) }
        func grandchild() -> Int32? {
            (try? String(contentsOf: file, encoding: .utf8)).flatMap { Int32($0.dropLast()) }
        }
        // On a busy machine the shell may be killed before it has told: then with more time.
        for seconds in [1, 5, 25] where grandchild() == nil {
            let late = try await ChildProcess.capture(
                .init(
                    path: "/bin/sh", arguments: ["-c", "sleep 1000 & echo $! > \(file.path); wait"],
                    environment: ["PATH": "/usr/bin:/bin"]), deadline: .seconds(seconds))
            #expect(late == .deadlineExceeded)
        }
        let killed = try #require(grandchild())
        while kill(killed, 0) == 0, !Self.isZombie(killed) { await Task.yield() }
    }

    private static func isZombie(_ pid: Int32) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        return status.split(separator: ")").last?.hasPrefix(" Z") ?? true
    }

    @Test func aSharedDescriptorKeepsItsLockUntilTheLastProcessEnds() async throws {
        let file = Self.output("lock")
        defer { try? FileManager.default.removeItem(at: file) }
        let held = open(file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        #expect(flock(held, LOCK_EX | LOCK_NB) == 0)
        var specification = ChildProcess.Specification(
            path: "/bin/sh", arguments: ["-c", "sleep 1000 & echo $!"], environment: ["PATH": "/usr/bin:/bin"])
        specification.sharedDescriptor = held
        guard case .ended(_, let output) = try await ChildProcess.capture(specification) else { return }
        close(held)
        let background = try #require(Int32(String(decoding: output.dropLast(), as: UTF8.self)))
        let other = open(file.path, O_RDWR | O_CLOEXEC)
        defer { close(other) }
        #expect(flock(other, LOCK_EX | LOCK_NB) < 0, "the grandchild holds it")
        kill(background, SIGKILL)
        while flock(other, LOCK_EX | LOCK_NB) < 0 { await Task.yield() }
    }

    @Test func aNameIsSearchedFor() async throws {
        #expect(try ChildProcess.find("sh", in: "/absent:/etc:/bin") == "/bin/sh")
        #expect(try ChildProcess.find("./sh", in: "/bin") == "./sh")
        let error = #expect(throws: ChildProcessError.self) { try ChildProcess.find("etc", in: "/:/bin") }
        #expect(error?.description == "cannot start etc: No such file or directory")
    }
}
