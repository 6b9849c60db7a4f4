import Concurrency
import FoundationEssentials
import Testing
import TodoModel

@testable import TaskService

@Suite struct BearerMemoryTests {
    private func bearer(_ user: UUID) -> Bearer { Bearer(user: user, token: UUID(), scopes: [.read], limitKey: "") }

    @Test func `a bearer is looked up once, and again when forgotten`() async throws {
        let (memory, ada, looked) = (BearerMemory<String>(), UUID(), Lock(0))
        func ask() async throws -> Bearer {
            try await memory.bearer("secret") {
                looked.withLock { $0 += 1 }
                return bearer(ada)
            }
        }
        let first = try await ask()
        #expect(try await ask().token == first.token && looked.withLock { $0 } == 1)
        memory.forget(UUID())
        #expect(try await ask().token == first.token, "somebody else changed")
        memory.forget(ada)
        #expect(try await ask().token != first.token && looked.withLock { $0 } == 2)
    }

    @Test func `what is looked up while it is revoked is not believed afterwards`() async throws {
        let (memory, ada) = (BearerMemory<String>(), UUID())
        _ = try await memory.bearer("secret") {
            // The database answered before the token was revoked; the answer comes afterwards.
            let answer = bearer(ada)
            memory.forget(ada)
            return answer
        }
        struct Revoked: Error {}
        await #expect(throws: Revoked.self) { try await memory.bearer("secret") { throw Revoked() } }
    }
}
