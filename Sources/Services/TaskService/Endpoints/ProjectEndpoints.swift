internal import FoundationEssentials
internal import HTTPTypes
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/projects` and the people who share them.
enum ProjectEndpoints {
    private static let path = "/v1/projects"
    private static let project = Endpoint.Outcome(status: .ok, schema: "Project", headers: ["ETag"])

    static let all = [
        Endpoint(
            method: .get, path: path, name: "listProjects", summary: "All projects that you see, the inbox first.",
            query: [
                .init(
                    name: "deleted", schema: ["type": "boolean"],
                    explanation: "Those in the bin, or not; not by default.")
            ], outcomes: [.init(status: .ok, schema: "ProjectList")]
        ) { call in
            let projects = try await call.database.projects.all(
                inBin: call.flag("deleted") ?? false, for: call.user())
            return Answer(.ok, ["items": .array(projects.map(\.json))])
        },
        Endpoint(
            method: .post, path: path, name: "createProject", summary: "Make a project.", access: .bearer(.write),
            body: .json("ProjectDraft"),
            outcomes: [.init(status: .created, schema: "Project", headers: ["ETag", "Location"])]
        ) { call in
            let project = try await call.database.projects.create(Project.Draft(call.body), by: call.user())
            return answer(project, .created).with(.location, "\(path)/\(project.id.uuidString.lowercased())")
        },
        Endpoint(
            method: .get, path: "\(path)/{id}", name: "getProject", summary: "Read a project.",
            outcomes: [project, .init(status: .notModified)]
        ) { call in
            let project = try await call.database.projects.get(call.id(), for: call.user())
            return Answer(project.json, version: project.version, to: call)
        },
        Endpoint(
            method: .patch, path: "\(path)/{id}", name: "updateProject",
            summary: "Change members of a project of yours.", access: .bearer(.write), body: .patch("ProjectPatch"),
            isConditional: true, outcomes: [project]
        ) { call in
            let patch = try Project.Patch(call.body)
            return answer(
                try await call.database.projects.update(
                    call.id(), patch, ifVersion: call.ifMatch, by: call.user()), .ok)
        },
        Endpoint(
            method: .delete, path: "\(path)/{id}", name: "deleteProject",
            summary: "Put a project of yours and its tasks into the bin.", access: .bearer(.write),
            isConditional: true, outcomes: [.init(status: .noContent)]
        ) { call in
            _ = try await call.database.projects.delete(call.id(), ifVersion: call.ifMatch, by: call.user())
            return Answer(.noContent)
        },
        Endpoint(
            method: .post, path: "\(path)/{id}/restore", name: "restoreProject",
            summary: "Take a project of yours out of the bin, with the tasks that went there with it.",
            access: .bearer(.write), isConditional: true, outcomes: [project]
        ) { call in
            answer(
                try await call.database.projects.restore(call.id(), ifVersion: call.ifMatch, by: call.user()), .ok)
        },
        Endpoint(
            method: .get, path: "\(path)/{id}/members", name: "listMembers", summary: "Who sees a project.",
            outcomes: [.init(status: .ok, schema: "MemberList")]
        ) { call in
            let members = try await call.database.projects.members(of: call.id(), for: call.user())
            return Answer(.ok, ["items": .array(members.map(\.json))])
        },
        Endpoint(
            method: .post, path: "\(path)/{id}/members", name: "addMember",
            summary: "Share a project of yours with the person who has an address.", access: .bearer(.write),
            body: .json("MemberDraft"), outcomes: [.init(status: .created, schema: "Project", headers: ["ETag"])]
        ) { call in
            var reader = try MemberReader(call.body, of: "a member")
            let (email, role) = (reader.email("email"), reader.role())
            for name in ["email", "role"] where reader.value(name) == nil { reader.fail(name, "is required") }
            try reader.finish()
            let project = try await call.database.projects.share(
                call.id(), with: email ?? "", as: role ?? .viewer, by: call.user())
            return answer(project, .created)
        },
        Endpoint(
            method: .patch, path: "\(path)/{id}/members/{user}", name: "updateMember",
            summary: "Give a member of a project of yours another role.", access: .bearer(.write),
            body: .patch("MemberPatch"), outcomes: [project]
        ) { call in
            var reader = try MemberReader(call.body, of: "a member")
            let role = reader.role()
            if reader.value("role") == nil { reader.fail("role", "is required") }
            try reader.finish()
            let project = try await call.database.projects.setRole(
                role ?? .viewer, of: call.id("user"), in: call.id(), by: call.user())
            return answer(project, .ok)
        },
        Endpoint(
            method: .delete, path: "\(path)/{id}/members/{user}", name: "removeMember",
            summary: "Take somebody off a project of yours, or yourself off one of another.", access: .bearer(.write),
            outcomes: [.init(status: .noContent)]
        ) { call in
            try await call.database.projects.remove(call.id("user"), from: call.id(), by: call.user())
            return Answer(.noContent)
        },
    ]

    private static func answer(_ project: Project, _ status: HTTPResponse.Status) -> Answer {
        Answer(status, project.json).with(.eTag, EntityTag.text(project.version))
    }
}

extension MemberReader {
    fileprivate mutating func role() -> Role? {
        choice("role", [Role.editor, .viewer].map { ($0.rawValue, $0) })
    }
}
