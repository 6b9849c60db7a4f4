import Foundation
import HTTPTypes
import StructuredData
import Testing

/// The OpenAPI document that the service serves, and what it says of an answer.
struct ServedDocument: Sendable {
    struct Operation: Sendable {
        let method: String
        /// With its parameters in braces.
        let path: String
        let json: JSON
        var name: String { json["operationId"]?.string ?? "" }
        var scope: String? { json["x-scope"]?.string }
        var isForAll: Bool { json["security"] == [] }
        var bodySchema: JSON? {
            json.at("requestBody", "content")?.object?.values.first?["schema"]
        }
        var bodyType: String { json.at("requestBody", "content")?.object?.keys.first ?? "" }

        /// Whether a path is one of this operation's.
        func matches(_ other: String) -> Bool {
            let (mine, theirs) = (path.split(separator: "/"), other.split(separator: "/"))
            return mine.count == theirs.count
                && zip(mine, theirs).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
        }
    }

    let json: JSON
    let operations: [Operation]
    var validator: SchemaValidator { SchemaValidator(root: json) }

    init(_ json: JSON) {
        self.json = json
        operations = (json["paths"]?.object ?? [:]).flatMap { path, item in
            (item.object ?? [:]).map { Operation(method: $0.key.uppercased(), path: path, json: $0.value) }
        }
    }

    func operation(_ method: String, _ path: String) -> Operation? {
        let plain = String(path.prefix { $0 != "?" })
        let candidates = operations.filter { $0.method == (method == "HEAD" ? "GET" : method) && $0.matches(plain) }
        // A path without parameters goes before one with.
        return candidates.first { $0.path == plain } ?? candidates.first
    }

    /// What of an answer is not as the document says.
    func problems(_ method: String, _ path: String, _ answer: RunningService.Answer) -> [String] {
        guard let operation = operation(method, path) else { return [] }
        let place = "\(method) \(operation.path) \(answer.status)"
        var response = operation.json.at("responses", "\(answer.status)")
        if response == nil, answer.status >= 400 {
            response = json.at("components", "responses", "Problem")
        }
        guard let response else { return ["\(place): the document does not know this status"] }
        var problems: [String] = []
        for name in (response["headers"]?.object ?? [:]).keys where name != "Set-Cookie" {
            if !answer.headers.contains(where: { $0.name.canonicalName == name.lowercased() }) {
                problems.append("\(place): lacks the header \(name)")
            }
        }
        guard method != "HEAD" else { return problems }
        guard let content = response["content"]?.object, let type = content.keys.first else {
            return problems + (answer.bytes.isEmpty ? [] : ["\(place): has a body"])
        }
        guard answer.headers[.contentType] == type else {
            return problems + ["\(place): is \(answer.headers[.contentType] ?? "nothing"), not \(type)"]
        }
        guard type.hasSuffix("json"), type != "application/x-ndjson" else { return problems }
        return problems + validator.problems(answer.json, content[type]?["schema"] ?? .null).map { "\(place): \($0)" }
    }
}
