import Postgres
import PostgresServer
import Testing

@Suite(.timeLimit(.minutes(10))) struct PoolCancellationTests {
    /// Whoever resumes a task takes a lock that whoever cancels it holds meanwhile: with a lock of the pool in the other
    /// order both would wait for ever.
    @Test func `those who wait are cancelled while others hand connections on`() async throws {
        try await withDatabase { _, configuration in
            let pool = PostgresPool(configuration, limits: .init(size: 2))
            for _ in 0..<600 {
                await withTaskGroup { group in
                    for _ in 0..<12 { group.addTask { _ = try? await pool.batch(["SELECT 1"]) } }
                    await group.next()
                    group.cancelAll()
                }
            }
            await pool.close()
        }
    }
}
