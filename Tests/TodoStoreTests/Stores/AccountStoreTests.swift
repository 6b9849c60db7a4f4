import FoundationEssentials
import Postgres
import PostgresServer
import StructuredData
import Testing
import TodoModel

@testable import TodoStore

@Suite(.timeLimit(.minutes(10))) struct AccountStoreTests {
    @Test func `an address has one account`() async throws {
        try await Stores.with { stores in
            await #expect(throws: StoreError.emailTaken) {
                try await stores.database.accounts.create(.init(email: "ada@example.com", name: "x"), password: nil)
            }
            let patch = User.Patch.with {
                $0.email = "ben@example.com"
            }
            await #expect(throws: StoreError.emailTaken) {
                try await stores.database.accounts.update(stores.ada.id, patch)
            }
            let found = try await stores.database.accounts.credentials(email: "ada@example.com")
            #expect(found?.user == stores.ada && found?.password == "x")
            #expect(try await stores.database.accounts.credentials(email: "eve@example.com") == nil)
        }
    }

    @Test func `a token is good for its account until it is revoked or expires`() async throws {
        try await Stores.with { stores in
            let tokens = stores.database.tokens
            let (token, secret) = try await tokens.create(
                .personal, named: "cli", scopes: [.read], expires: nil, of: stores.ada.id)
            let parsed = try #require(TokenSecret(secret.text))
            #expect(parsed == secret && secret.text.utf8.count == 69)
            let known = try await tokens.authenticate(parsed)
            #expect(parsed.user == stores.ada.id && known?.id == token.id && known?.scopes == [.read])
            #expect(try await tokens.authenticate(TokenSecret(for: stores.ada.id)) == nil)
            let stored = try await stores.home.server.psql(
                "SELECT row_to_json(t) FROM tokens t", database: stores.home.name)
            #expect(!stored.contains(secret.text) && !stored.contains(String(secret.text.suffix(20))))
            #expect(try await tokens.all(of: stores.ada.id).first?.lastUsed != nil)
            await #expect(throws: StoreError.notFound) { try await tokens.revoke(token.id, of: stores.ben.id) }
            try await tokens.revoke(token.id, of: stores.ada.id)
            #expect(try await tokens.authenticate(parsed) == nil)
            let past = Instant(microsecondsSince1970: Instant.now().microsecondsSince1970 - 1)
            let (_, expired) = try await tokens.create(
                .session, named: "old", scopes: [.read], expires: past, of: stores.ada.id)
            #expect(try await tokens.authenticate(expired) == nil)
        }
    }

    @Test func `a new password ends the other sessions`() async throws {
        try await Stores.with { stores in
            let tokens = stores.database.tokens
            func token(_ kind: AccessToken.Kind) async throws -> (token: AccessToken, secret: TokenSecret) {
                try await tokens.create(kind, named: "x", scopes: [.read], expires: nil, of: stores.ada.id)
            }
            let (kept, other, personal) = (
                try await token(.session), try await token(.session), try await token(.personal)
            )
            try await stores.database.accounts.setPassword("new", of: stores.ada.id, keeping: kept.token.id)
            #expect(try await tokens.authenticate(kept.secret) != nil)
            #expect(try await tokens.authenticate(other.secret) == nil)
            #expect(try await tokens.authenticate(personal.secret) != nil)
            #expect(try await stores.database.accounts.credentials(email: stores.ada.email)?.password == "new")
        }
    }

    private func export(_ user: User, from database: TodoDatabase) async throws -> (json: JSON, portions: [Int]) {
        var (bytes, portions): ([UInt8], [Int]) = ([], [])
        try await database.accounts.export(user.id).write {
            bytes += $0
            portions.append($0.count)
        }
        return (try JSON(parsing: bytes), portions)
    }

    @Test func `an export has everything once, in portions, of which none is large`() async throws {
        try await Stores.with { stores in
            let text = String(repeating: "\u{1}", count: TodoTask.Limits.description)
            for number in 0..<40 { _ = try await stores.create("\(number)") { $0.description = text } }
            let project = try await stores.database.projects.create(.init(name: "Ben's"), by: stores.ben.id)
            _ = try await stores.database.projects.share(
                project.id, with: stores.ada.email, as: .viewer, by: stores.ben.id)
            func sql(_ text: String) async throws -> String {
                try await stores.home.server.psql(text, database: stores.home.name)
            }
            _ = try await sql(
                """
                INSERT INTO planned_reminders (user_id, id, base_id, owner_id, task_id, source, source_id, due_at, fire_at,
                    state)
                SELECT u, i, i, u, i, 'policy', i, now(), now() - n * interval '1 hour', 'fired'
                FROM (SELECT gen_random_uuid() AS i, '\(stores.ada.id)'::uuid AS u, n FROM generate_series(1, 450) n) x
                """)
            let (export, portions) = try await export(stores.ada, from: stores.database)
            for (name, rows) in [
                ("projects", "project_json(x) ORDER BY x.id) FROM projects x WHERE x.user_id"),
                ("tasks", "task_json(x) ORDER BY x.id) FROM tasks x WHERE x.user_id"),
                (
                    "remindersPlanned",
                    "reminder_json(x, NULL, NULL) ORDER BY x.id) FROM planned_reminders x WHERE x.user_id"
                ),
            ] {
                let kept = try await sql("SELECT json_agg(\(rows) = '\(stores.ada.id)'")
                #expect(try export[name] == JSON(parsing: Array(kept.utf8)), "\(name)")
            }
            #expect(export["memberships"]?.array?.count == 1)
            for name in ["filters", "reminders", "tokens", "channels", "deliveries", "logins"] {
                #expect(export[name]?.array?.isEmpty == true, "\(name)")
            }
            #expect(portions.reduce(0, +) > 4_800_000 && portions.allSatisfy { $0 < 3_000_000 }, "\(portions)")
            await #expect(throws: StoreError.notFound) { try await stores.database.accounts.export(.init()) }
        }
    }

    @Test func `an erased account leaves nothing but the event that says so`() async throws {
        try await Stores.with { stores in
            let project = try await stores.shared(.editor)
            let foreign = try await stores.database.projects.create(.init(name: "Ben's"), by: stores.ben.id)
            _ = try await stores.database.projects.share(
                foreign.id, with: stores.ada.email, as: .editor, by: stores.ben.id)
            let root = try await stores.create("root") { $0.project = project.id }
            _ = try await stores.create("child", by: stores.ben) { $0.parent = root.id }
            _ = try await stores.create("by ada") { $0.project = foreign.id }
            let export = try await export(stores.ada, from: stores.database).json
            #expect(export["tasks"]?.array?.count == 2 && export["user"]?["email"] == "ada@example.com")
            #expect(export["memberships"]?[0]?["project"]?.string == foreign.id.uuidString.lowercased())
            try await stores.database.accounts.erase(stores.ada.id)
            #expect(try await stores.database.accounts.user(stores.ada.id) == nil)
            let tables = try await stores.home.server.psql(
                "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE data_type = 'uuid' AND table_schema = 'public' AND table_name <> 'outbox'",
                database: stores.home.name
            ).split(separator: "\n")
            for column in tables {
                let parts = column.split(separator: ".")
                let left = try await stores.home.server.psql(
                    "SELECT count(*) FROM \(parts[0]) WHERE \(parts[1]) = '\(stores.ada.id)'",
                    database: stores.home.name)
                #expect(left == "0", "\(column)")
            }
            #expect(try await stores.events().last == "account.erased")
            #expect(try await stores.titles("", for: stores.ben) == ["by ada"])
            let members = try await stores.database.projects.members(of: foreign.id, for: stores.ben.id)
            #expect(members.map(\.user) == [stores.ben.id])
        }
    }

    @Test func `who is sent a reminder at the same moment is erased all the same`() async throws {
        try await Stores.with { stores in
            let sender = try await stores.home.connect()
            let erasing = try await sender.withTransaction { sender in
                try await sender.query(
                    """
                    INSERT INTO deliveries (user_id, id, purpose, reminder_id, fired_at, kind, target, state, created_at,
                        give_up_at, content)
                    VALUES (\(stores.ada.id), gen_random_uuid(), 'reminder', gen_random_uuid(), now(), 'in-app', '',
                        'delivered', now(), now(), '{}')
                    """)
                let erasing = Task { try await stores.database.accounts.erase(stores.ada.id) }
                var waiting = 0
                while waiting == 0 {
                    let blocked = try await sender.query(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    waiting = try blocked.first?.decode(Int.self) ?? 0
                }
                return erasing
            }
            await sender.close()
            try await erasing.value
            #expect(try await stores.database.accounts.user(stores.ada.id) == nil)
        }
    }

    @Test func `of an erased login it is known for a while when that was, and no more`() async throws {
        try await Stores.with { stores in
            let (accounts, issuer) = (stores.database.accounts, "https://id.example.com")
            func sql(_ text: String) async throws -> String {
                try await stores.home.server.psql(text, database: stores.home.name)
            }
            // The same person twice.
            for _ in 0..<2 {
                let eve = try await accounts.create(
                    .init(email: "eve@example.com", name: "Eve"), password: nil, login: (issuer, "eve-1"))
                try await accounts.erase(eve.id)
            }
            let erased = try #require(try await accounts.erasure(issuer: issuer, subject: "eve-1"))
            #expect(Instant.now() - erased < .seconds(60))
            #expect(try await accounts.erasure(issuer: issuer, subject: "ada-1") == nil)
            #expect(try await !sql("SELECT row_to_json(e) FROM erased_identities e").contains("eve"))
            try await stores.database.maintenance.run()
            #expect(try await accounts.erasure(issuer: issuer, subject: "eve-1") == erased)
            _ = try await sql("UPDATE erased_identities SET erased_at = now() - interval '31 days'")
            try await stores.database.maintenance.run()
            #expect(try await accounts.erasure(issuer: issuer, subject: "eve-1") == nil)
        }
    }

    @Test func `a repeated request gets the first answer`() async throws {
        try await Stores.with { stores in
            let answer = RequestStore.Answer(status: 201, headers: Array("{}".utf8), body: [1, 2, 3])
            let run: @Sendable (String, [UInt8]) async throws -> RequestStore.Answer? = { key, fingerprint in
                try await stores.database.transaction { database in
                    if let known = try await database.requests.claim(key, fingerprint: fingerprint, of: stores.ada.id) {
                        return known
                    }
                    try await database.requests.keep(answer, for: key, of: stores.ada.id)
                    return nil
                }
            }
            let answers = try await withThrowingTaskGroup(of: RequestStore.Answer?.self) { group in
                for _ in 0..<6 { group.addTask { try await run("k", [7]) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.count { $0 == nil } == 1 && answers.count { $0 == answer } == 5)
            await #expect(throws: StoreError.idempotencyKeyReused) { try await run("k", [8]) }
            #expect(try await run("other", [8]) == nil)
        }
    }
}
