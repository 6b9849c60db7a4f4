internal import Crypto
internal import FoundationEssentials
internal import StructuredData
internal import TodoModel

/// The last task of a page: what it is sorted by, and its id. Its text is opaque to clients, and holds for the query
/// that it was made for only.
struct TaskCursor: Sendable, Hashable {
    enum Value: Sendable, Hashable {
        case wall(Day)
        case date(Day)
        case priority(TodoTask.Priority)
        case instant(Instant)
        case title(String)
        case position(String)
    }

    /// A day with or without a time; or what stands for none.
    enum Day: Sendable, Hashable {
        case finite(CivilDate, TimeOfDay?)
        case afterAll, beforeAll

        /// As PostgreSQL reads it.
        var text: String {
            switch self {
            case .finite(let date, let time): date.text + (time.map { " " + $0.text } ?? "")
            case .afterAll: "infinity"
            case .beforeAll: "-infinity"
            }
        }
    }

    let values: [Value]
    let id: UUID
}

extension TaskCursor {
    /// Base64url (RFC 4648, section 5) of a JSON array: the query's mark, the id, then the values.
    func text(of query: TaskQuery) -> String {
        let members = [Self.mark(of: query), id.uuidString] + values.map(\.text)
        return Base64URL.encode(JSON.array(members.map { .string($0) }).encoded())
    }

    /// Nil when the text is no cursor, or one of another query.
    init?(_ text: String, of query: TaskQuery) {
        guard text.utf8.count <= Self.lengthLimit, let bytes = Base64URL.decode(text),
            let members = (try? JSON(parsing: bytes))?.array?.compactMap(\.string),
            members.count >= 2, members[0] == Self.mark(of: query), let id = UUID(uuidString: members[1])
        else { return nil }
        let keys = TaskOrder(query).keys
        let values = zip(keys, members.dropFirst(2)).compactMap { Value($1, of: $0.field) }
        guard values.count == keys.count, members.count == keys.count + 2 else { return nil }
        self.init(values: values, id: id)
    }

    /// A title of 500 characters takes 2,000 bytes, and six times that where JSON escapes it.
    private static let lengthLimit = 20_000

    private static func mark(of query: TaskQuery) -> String {
        Data(SHA256.hash(data: Data(query.description.utf8)).prefix(8)).base64EncodedString()
    }
}

extension TaskCursor.Value {
    fileprivate var text: String {
        switch self {
        case .wall(let day), .date(let day): day.text
        case .priority(let priority): priority.name
        case .instant(let instant): String(instant.microsecondsSince1970)
        case .title(let text), .position(let text): text
        }
    }

    /// Nil for what PostgreSQL would not take: anybody can write a cursor.
    fileprivate init?(_ text: String, of field: TaskSortKey.Field) {
        switch field {
        case .due, .start:
            guard let day = TaskCursor.Day(text, hasTime: field == .due) else { return nil }
            self = field == .due ? .wall(day) : .date(day)
        case .priority:
            guard let priority = TodoTask.Priority(name: text) else { return nil }
            self = .priority(priority)
        case .created, .updated:
            guard let value = Int64(text), (0...Self.lastMicrosecond).contains(value) else { return nil }
            self = .instant(Instant(microsecondsSince1970: value))
        case .title, .position:
            guard !text.utf8.contains(0) else { return nil }
            self = field == .title ? .title(text) : .position(text)
        }
    }

    /// Of the year 9999.
    private static let lastMicrosecond: Int64 = 253_402_300_799_999_999
}

extension TaskCursor.Day {
    fileprivate init?(_ text: String, hasTime: Bool) {
        switch text {
        case "infinity": self = .afterAll
        case "-infinity": self = .beforeAll
        default:
            let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= (hasTime ? 2 : 1), let date = CivilDate(parts[0]) else { return nil }
            let time = parts.count == 2 ? TimeOfDay(parts[1]) : nil
            guard parts.count == 1 || time != nil else { return nil }
            self = .finite(date, time)
        }
    }
}
