internal import StructuredData

/// The parameters that API operations take.
struct OpenAPIParameters {
    let dialect: OpenAPIDialect

    private func query(_ name: String, _ type: String, _ description: String) -> JSON {
        dialect.parameter(name, in: "query", type: type, description)
    }

    func path(_ name: String, _ description: String) -> JSON {
        dialect.parameter(name, in: "path", type: "string", description)
    }

    var pretty: JSON { query("pretty", "string", "If 'true', then the output is pretty printed.") }

    private var dryRun: JSON {
        query(
            "dryRun", "string",
            "When present, indicates that modifications should not be persisted. Valid values are: - All: all dry run "
                + "stages will be processed")
    }

    private var fieldManager: JSON {
        query(
            "fieldManager", "string",
            "fieldManager is a name associated with the actor or entity that is making these changes.")
    }

    private var fieldValidation: JSON {
        query(
            "fieldValidation", "string",
            "fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing "
                + "unknown or duplicate fields: Ignore, Warn or Strict.")
    }

    /// Of POST and PUT.
    var write: [JSON] { [dryRun, fieldManager, fieldValidation] }

    var patch: [JSON] {
        write + [
            query(
                "force", "boolean",
                "Force is going to \"force\" Apply requests. It means user will re-acquire conflicting fields owned by "
                    + "other people.")
        ]
    }

    var delete: [JSON] {
        [
            dryRun,
            query(
                "gracePeriodSeconds", "integer", "The duration in seconds before the object should be deleted."),
            query("orphanDependents", "boolean", "Deprecated: please use the PropagationPolicy."),
            query("propagationPolicy", "string", "Whether and how garbage collection will be performed."),
        ]
    }

    private var selection: [JSON] {
        [
            query(
                "continue", "string", "The continue option should be set when retrieving more results."),
            query("fieldSelector", "string", "A selector to restrict the list of returned objects by their fields."),
            query("labelSelector", "string", "A selector to restrict the list of returned objects by their labels."),
            query("limit", "integer", "limit is a maximum number of responses to return for a list call."),
            query(
                "resourceVersion", "string",
                "resourceVersion sets a constraint on what resource versions a request may be served from."),
            query(
                "resourceVersionMatch", "string",
                "resourceVersionMatch determines how resourceVersion is applied to list calls."),
            query(
                "sendInitialEvents", "boolean",
                "`sendInitialEvents=true` may be set together with `watch=true`: the stream begins with synthetic "
                    + "events for the current state."),
            query("timeoutSeconds", "integer", "Timeout for the list/watch call."),
        ]
    }

    var list: [JSON] {
        [query("allowWatchBookmarks", "boolean", "allowWatchBookmarks requests watch events with type \"BOOKMARK\".")]
            + selection
            + [query("watch", "boolean", "Watch for changes to the described resources.")]
    }

    var deleteCollection: [JSON] { selection + delete }
}
