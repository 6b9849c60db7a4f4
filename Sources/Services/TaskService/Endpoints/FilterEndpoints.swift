internal import FoundationEssentials
internal import HTTPTypes
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/filters` and `/v1/tags`.
enum FilterEndpoints {
    private static let path = "/v1/filters"
    private static let filter = Endpoint.Outcome(status: .ok, schema: "Filter", headers: ["ETag"])

    static let all = [
        Endpoint(
            method: .get, path: path, name: "listFilters", summary: "Your saved filters, in order.",
            outcomes: [.init(status: .ok, schema: "FilterList")]
        ) { call in
            let filters = try await call.database.filters.all(of: call.user())
            return Answer(.ok, ["items": .array(filters.map(\.json))])
        },
        Endpoint(
            method: .post, path: path, name: "createFilter", summary: "Save a query under a name.",
            access: .bearer(.write), body: .json("FilterDraft"),
            outcomes: [.init(status: .created, schema: "Filter", headers: ["ETag", "Location"])]
        ) { call in
            let filter = try await call.database.filters.create(SavedFilter.Draft(call.body), of: call.user())
            return answer(filter, .created).with(.location, "\(path)/\(filter.id.uuidString.lowercased())")
        },
        Endpoint(
            method: .get, path: "\(path)/{id}", name: "getFilter", summary: "Read a saved filter.",
            outcomes: [filter, .init(status: .notModified)]
        ) { call in
            let filter = try await call.database.filters.get(call.id(), of: call.user())
            return Answer(filter.json, version: filter.version, to: call)
        },
        Endpoint(
            method: .patch, path: "\(path)/{id}", name: "updateFilter", summary: "Change members of a saved filter.",
            access: .bearer(.write), body: .patch("FilterPatch"), isConditional: true, outcomes: [filter]
        ) { call in
            let patch = try SavedFilter.Patch(call.body)
            return answer(
                try await call.database.filters.update(
                    call.id(), patch, ifVersion: call.ifMatch, of: call.user()), .ok)
        },
        Endpoint(
            method: .delete, path: "\(path)/{id}", name: "deleteFilter", summary: "Delete a saved filter.",
            access: .bearer(.write), isConditional: true, outcomes: [.init(status: .noContent)]
        ) { call in
            try await call.database.filters.delete(call.id(), ifVersion: call.ifMatch, of: call.user())
            return Answer(.noContent)
        },
        Endpoint(
            method: .get, path: "/v1/tags", name: "listTags",
            summary: "The tags of the tasks that you see, and how many open ones bear each.",
            outcomes: [.init(status: .ok, schema: "TagList")]
        ) { call in
            let tags = try await call.database.tags.all(for: call.user())
            return Answer(
                .ok, ["items": .array(tags.map { ["name": .string($0.name), "open": JSON($0.open)] })])
        },
        Endpoint(
            method: .patch, path: "/v1/tags/{name}", name: "renameTag",
            summary: "Rename a tag on every task that bears it and that you may change.", access: .bearer(.write),
            body: .patch("TagPatch"),
            outcomes: [.init(status: .ok, schema: "TagResult", headers: ["Todo-Operation"])]
        ) { call in
            try await replace(call, by: newName(call.body))
        },
        Endpoint(
            method: .delete, path: "/v1/tags/{name}", name: "deleteTag",
            summary: "Take a tag off every task that bears it and that you may change.", access: .bearer(.write),
            outcomes: [.init(status: .ok, schema: "TagResult", headers: ["Todo-Operation"])]
        ) { call in try await replace(call, by: nil) },
    ]

    /// A tag is what a task may bear.
    private static func newName(_ json: JSON) throws(ValidationError) -> String? {
        var reader = try MemberReader(json, of: "a tag")
        let name = reader.string("name")
        if reader.value("name") == nil { reader.fail("name", "is required") }
        if let name {
            do {
                let patch = try TodoTask.Patch(["tags": [.string(name)]])
                try reader.finish()
                return patch.tags?.first
            } catch {
                for problem in error.fields { reader.fail("name", problem.message) }
            }
        }
        try reader.finish()
        return nil
    }

    private static func replace(_ call: Call, by other: String?) async throws -> Answer {
        let operation = try call.operation()
        let name = try call.text("name").lowercased()
        let count = try await call.database.tags.replace(name, by: other, operation: operation)
        return Answer(.ok, ["tasks": JSON(count)])
            .with(.todoOperation, operation.id.uuidString.lowercased())
    }

    private static func answer(_ filter: SavedFilter, _ status: HTTPResponse.Status) -> Answer {
        Answer(status, filter.json).with(.eTag, EntityTag.text(filter.version))
    }
}
