public import StructuredData

extension TodoTask {
    /// The task as the API and the events show it: every member, null where there is no value.
    ///
    /// A migration has the same form as the function `task_json`; a test holds them equal.
    public var json: JSON {
        .object([
            "id": JSON(id), "user": JSON(user), "project": JSON(project), "parent": JSON(parent) { JSON($0) },
            "title": .string(title), "description": .string(description), "status": .string(status.rawValue),
            "priority": .string(priority.name), "due": JSON(due) { $0.json }, "start": JSON(start) { JSON($0) },
            "estimate": JSON(estimate) { JSON($0) }, "tags": .array(tags.map(JSON.string)),
            "position": .string(position), "createdAt": JSON(created), "updatedAt": JSON(updated),
            "completedAt": JSON(completed) { JSON($0) }, "deletedAt": JSON(deleted) { JSON($0) },
            "version": JSON(version), "seq": JSON(seq), "recurrence": JSON(recurrence) { $0.json },
        ])
    }
}

extension Due {
    public var json: JSON {
        var object: JSONObject = ["date": JSON(date)]
        if let time { object["time"] = .string(time.text) }
        if let zone { object["zone"] = .string(zone) }
        return .object(object)
    }
}
