import Concurrency
import PostgresServer
import Testing

@testable import Postgres

@Suite(.timeLimit(.minutes(10))) struct ConnectionBudgetTests {
    /// What all of them have open at one moment: a connection that moves from one to another is not counted twice.
    private static func open(_ pools: ArraySlice<PostgresPool>) -> Int {
        guard let pool = pools.first else { return 0 }
        return pool.shared.withLock { $0.state.statistics.open + open(pools.dropFirst()) }
    }

    @Test func `pools with one budget never have more connections open than it allows, and all get on`() async throws {
        try await withDatabase { connection, configuration in
            let database = try #require(configuration["dbname"])
            var limits = PostgresPool.Limits.patient(size: 2)
            limits.budget = ConnectionBudget(3)
            let pools = (0..<8).map { _ in PostgresPool(configuration, limits: limits) }
            let (sum, most) = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for n in 1...400 {
                    group.addTask {
                        try await pools[n % 8].withConnection { connection in
                            let open = Self.open(pools[...])
                            return (try await connection.value("SELECT \(n)::int8", as: Int.self), open)
                        }
                    }
                }
                return try await group.reduce((0, 0)) { ($0.0 + $1.0, max($0.1, $1.1)) }
            }
            #expect(sum == 80_200)
            #expect(most <= 3)
            #expect(Self.open(pools[...]) <= 3)
            for pool in pools { await pool.close() }
            try await connection.eventually("SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = \(database)")
        }
    }

    @Test func `an idle connection is closed for a pool that needs one`() async throws {
        try await withDatabase { _, configuration in
            var limits = PostgresPool.Limits.patient(size: 4)
            limits.budget = ConnectionBudget(1)
            let (first, second) = (
                PostgresPool(configuration, limits: limits), PostgresPool(configuration, limits: limits)
            )
            for _ in 0..<20 {
                try await first.query("SELECT 1")
                try await second.query("SELECT 1")
                #expect(first.statistics.open + second.statistics.open <= 1)
            }
            await first.close()
            try await second.query("SELECT 1")
            await second.close()
        }
    }

    @Test func `what could not be connected takes nothing of the budget`() async throws {
        try await withDatabase { _, configuration in
            var limits = PostgresPool.Limits.patient(size: 1)
            limits.budget = ConnectionBudget(1)
            var wrong = configuration
            wrong["dbname"] = "no_such_database"
            let (broken, good) = (
                PostgresPool(wrong, limits: limits), PostgresPool(configuration, limits: limits)
            )
            for _ in 0..<3 {
                await #expect(throws: PostgresError.self) { try await broken.query("SELECT 1") }
                try await good.query("SELECT 1")
            }
            await broken.close()
            await good.close()
        }
    }
}
