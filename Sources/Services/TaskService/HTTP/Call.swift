internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// One request on its way through an endpoint.
struct Call: Sendable {
    let request: Request
    let parameters: Parameters
    /// Where the work is done; in the midst of a transaction when the request may be repeated.
    var database: TodoDatabase
    /// Nil where everybody may come in.
    let bearer: Bearer?
    /// Null where there is none.
    let body: JSON
    /// What stands behind `?`, in order; without a value where that is not percent-encoded UTF-8.
    private let items: [(name: String, value: String?)]

    init(request: Request, parameters: Parameters, database: TodoDatabase, bearer: Bearer?, body: JSON) {
        self.request = request
        self.parameters = parameters
        self.database = database
        self.bearer = bearer
        self.body = body
        items = (request.uri.query ?? "").split(separator: "&").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.decode(parts[0], isQuery: true) else { return nil }
            return (name, PercentCoding.decode(parts.count > 1 ? parts[1] : "", isQuery: true))
        }
    }

    /// The id of whose request it is. Throws 401 where an endpoint let everybody in and needs somebody.
    func user() throws -> UUID {
        guard let bearer else { throw Problem.unauthorized("sign in", isInvalid: false) }
        return bearer.user
    }

    /// The account of whose request it is, as it is now. Throws 404 when it was erased a moment ago.
    func account() async throws -> User {
        guard let account = try await database.accounts.user(user()) else { throw Problem.notFound }
        return account
    }

    /// A new operation of the bearer's.
    func operation() throws -> TodoOperation { database.operation(by: try user()) }

    /// The id in the path. Throws 404 when it is none.
    func id(_ name: String = "id") throws -> UUID {
        guard let id = parameters.get(name).flatMap({ UUID(uuidString: $0) }) else { throw Problem.notFound }
        return id
    }

    /// Another part of the path.
    func text(_ name: String) throws -> String {
        guard let text = parameters.get(name).flatMap({ PercentCoding.decode($0, isQuery: false) }),
            !text.utf8.contains(0)
        else { throw Problem.notFound }
        return text
    }

    var ifMatch: [Int]? { request.headers.matchedVersions }
}

/// The parameters behind `?`. Each throws 400 naming the parameter.
extension Call {
    /// The first one with the name.
    func query(_ name: String) throws -> String? {
        guard let item = items.first(where: { $0.name == name }) else { return nil }
        guard let value = item.value, !value.utf8.contains(0) else {
            throw Problem.invalid(name, "must be percent-encoded UTF-8")
        }
        return value
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) throws -> Int {
        guard let text = try query(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw Problem.invalid(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func flag(_ name: String) throws -> Bool? {
        guard let text = try query(name) else { return nil }
        guard let value = Bool(text) else { throw Problem.invalid(name, "must be true or false") }
        return value
    }

    func uuid(_ name: String) throws -> UUID? {
        guard let text = try query(name) else { return nil }
        guard let id = UUID(uuidString: text) else {
            throw Problem.invalid(name, "must be an id, such as 0192f0c1-2b3c-7d4e-8f90-123456789abc")
        }
        return id
    }
}
