public import FoundationEssentials
internal import Postgres
public import TodoModel

extension ProjectStore {
    /// The owner, then the others in the order in which they came. Everybody who sees the project sees who else does.
    public func members(of id: UUID, for actor: UUID) async throws -> [ProjectMember] {
        let statement: SQLFragment = """
            SELECT u.id, u.email, u.name, CASE
                WHEN u.id = p.user_id THEN 'owner' WHEN u.id = ANY (p.editors) THEN 'editor' ELSE 'viewer' END,
                COALESCE(m.created_at, p.created_at)
            FROM projects p
            JOIN users u ON u.id = ANY (p.user_id || p.editors || p.viewers)
            LEFT JOIN project_members m ON m.owner_id = p.user_id AND m.project_id = p.id AND m.member_id = u.id
            WHERE p.user_id = ANY (\(.owners(for: actor))) AND p.id = \(id) AND p.deleted_at IS NULL
                AND \(.sees(actor, "p"))
            ORDER BY u.id <> p.user_id, 5, u.id
            """
        let members = try await database.rows(as: .user(actor), "project.members", statement).map { row in
            let (user, email, name, role, since) = try row.decode(
                UUID.self, String.self, String.self, String.self, PostgresTimestamp.self)
            return ProjectMember(
                user: user, email: email, name: name, role: Role(rawValue: role) ?? .viewer, since: Instant(since))
        }
        guard !members.isEmpty else { throw StoreError.notFound }
        return members
    }

    /// Shares a project with the person who has an address, or gives who has it already another role. All its tasks get
    /// new change numbers, so that who has followed the owner's stream already hears of them.
    ///
    /// Throws `invalid` naming `email`; for whoever is not the owner `forbidden`.
    public func share(_ id: UUID, with email: String, as role: Role, by actor: UUID) async throws -> Project {
        let statement: SQLFragment = """
            WITH \(target(id, for: actor)),
            person AS (SELECT u.id FROM users u WHERE u.email = \(email)),
            checked AS (
                SELECT g.old, CASE \(problems(nil, actor))
                    WHEN (g.old).is_inbox THEN 'inbox'
                    WHEN NOT EXISTS (SELECT FROM person) THEN 'email'
                    WHEN (SELECT id FROM person) = \(actor) THEN 'self'
                    WHEN cardinality((g.old).editors || (g.old).viewers) >= \(raw: "\(Project.memberLimit)")
                        AND (SELECT id FROM person) <> ALL ((g.old).editors || (g.old).viewers) THEN 'members'
                    END AS problem
                FROM target g),
            joined AS (
                INSERT INTO project_members (owner_id, project_id, member_id, role)
                SELECT \(actor), \(id), person.id, \(role.rawValue) FROM person, checked c WHERE c.problem IS NULL
                ON CONFLICT (owner_id, project_id, member_id) DO UPDATE SET role = EXCLUDED.role
                RETURNING member_id),
            -- Who was here before may have reminders.
            noted AS (INSERT INTO replan_scopes (kind, subject) SELECT 'person', j.member_id::text FROM joined j),
            parts AS (
                SELECT t.id, row_number() OVER (ORDER BY t.id) AS place FROM tasks t, joined
                WHERE t.user_id = \(actor) AND t.project_id = \(id) AND t.deleted_at IS NULL),
            stream AS (
                UPDATE streams s SET seq = s.seq + 1 + (SELECT count(*) FROM parts) FROM joined
                WHERE s.user_id = \(actor)
                RETURNING s.seq - (SELECT count(*) FROM parts) AS seq),
            renumbered AS (
                UPDATE tasks t SET seq = stream.seq + b.place FROM parts b, stream
                WHERE t.user_id = \(actor) AND t.id = b.id),
            written AS (
                UPDATE projects p SET \(Self.roles(role, of: "j.member_id")), updated_at = now(),
                    version = p.version + 1, seq = stream.seq
                FROM stream, joined j WHERE p.user_id = \(actor) AND p.id = \(id) RETURNING p AS project),
            \(Self.told(.projectShared, by: actor))
            \(Self.answer(for: actor))
            """
        return try await write("project.share", statement, as: actor, by: actor, naming: email)
    }

    /// Gives a member another role. Throws `notFound` when the person is none.
    public func setRole(_ role: Role, of member: UUID, in id: UUID, by actor: UUID) async throws -> Project {
        let statement: SQLFragment = """
            WITH \(target(id, for: actor)),
            checked AS (
                SELECT g.old, CASE \(problems(nil, actor))
                    WHEN \(member) <> ALL ((g.old).editors || (g.old).viewers) THEN 'gone' END AS problem
                FROM target g),
            changed AS (
                UPDATE project_members m SET role = \(role.rawValue) FROM checked c
                WHERE c.problem IS NULL AND m.owner_id = \(actor) AND m.project_id = \(id) AND m.member_id = \(member)
                    AND m.role <> \(role.rawValue) RETURNING m.member_id),
            stream AS (
                UPDATE streams s SET seq = s.seq + 1 FROM changed WHERE s.user_id = \(actor) RETURNING s.seq),
            written AS (
                UPDATE projects p SET \(Self.roles(role, of: "j.member_id")), updated_at = now(),
                    version = p.version + 1, seq = stream.seq
                FROM stream, changed j WHERE p.user_id = \(actor) AND p.id = \(id) RETURNING p AS project),
            \(Self.told(.projectShared, by: actor))
            \(Self.answer(for: actor))
            """
        return try await write("project.role", statement, as: actor, by: actor)
    }

    /// Takes somebody off a project: its owner does that, or the member. It is a change of the member's stream, too, since
    /// the owner's may be closed to them from then on.
    public func remove(_ member: UUID, from id: UUID, by actor: UUID) async throws {
        let owner = try await get(id, for: actor).user
        guard actor == owner || actor == member else { throw StoreError.forbidden }
        try await remove(member, from: id, of: owner, by: actor)
    }

    /// The same for whoever has shown that they may, also where the project is in the bin: it may come back. What there is
    /// to write is the owner's.
    func remove(_ member: UUID, from id: UUID, of owner: UUID, by actor: UUID) async throws {
        let statement: SQLFragment = """
            WITH \(target(id, for: owner, mayBeDeleted: true)),
            gone AS (
                DELETE FROM project_members m USING target
                WHERE m.owner_id = \(owner) AND m.project_id = \(id) AND m.member_id = \(member) RETURNING m.member_id),
            checked AS (
                SELECT g.old, CASE WHEN NOT EXISTS (SELECT FROM gone) THEN 'gone' END AS problem FROM target g),
            stream AS (UPDATE streams s SET seq = s.seq + 1 FROM gone WHERE s.user_id = \(owner) RETURNING s.seq),
            farewell AS (
                UPDATE streams s SET seq = s.seq + 1 FROM gone WHERE s.user_id = gone.member_id
                RETURNING s.user_id, s.seq),
            buried AS (
                INSERT INTO tombstones (user_id, seq, kind, id, project_id, is_moved)
                SELECT f.user_id, f.seq, 'project', \(id), NULL, false FROM farewell f),
            written AS (
                UPDATE projects p SET editors = array_remove(p.editors, \(member)),
                    viewers = array_remove(p.viewers, \(member)), updated_at = now(), version = p.version + 1,
                    seq = stream.seq
                FROM stream WHERE p.user_id = \(owner) AND p.id = \(id) RETURNING p AS project),
            \(Self.told(.projectUnshared, by: actor, and: "ARRAY[\(member)::uuid]"))
            \(Self.answer(for: owner))
            """
        _ = try await write("project.unshare", statement, as: owner, by: actor, locking: [member])
    }

    private static func roles(_ role: Role, of member: String) -> SQLFragment {
        let (editor, viewer) = role == .editor ? (" || \(member)", "") : ("", " || \(member)")
        return """
            editors = array_remove(p.editors, \(raw: member))\(raw: editor),
            viewers = array_remove(p.viewers, \(raw: member))\(raw: viewer)
            """
    }
}
