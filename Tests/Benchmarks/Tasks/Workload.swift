import Foundation
import StructuredData

/// Which of the two servers requests are for: their forms of the same thing differ.
enum Dialect: String {
    case ours, peer
}

/// What there is to ask for: ids, words and tokens out of the database.
struct Sample {
    struct Person {
        let token: String
        let projects: [String]
    }

    let people: [Person]
    /// Open tasks, of whom by place; each is to be completed once.
    let tasks: [(person: Int, id: String)]
    let words: [String]
    let tags: [String]
    /// Days from today on, and before it.
    let days: [Int: String]

    init(file: String) throws {
        let json = try JSON(parsing: Array(Data(contentsOf: URL(fileURLWithPath: file))))
        func texts(_ json: JSON?) -> [String] { json?.array?.compactMap(\.string) ?? [] }
        people = (json["people"]?.array ?? []).map {
            Person(token: $0["token"]?.string ?? "", projects: texts($0["projects"]))
        }
        tasks = (json["tasks"]?.array ?? []).compactMap { task in
            guard let person = task[0]?.int, let id = task[1]?.string else { return nil }
            return (person, id)
        }
        (words, tags) = (texts(json["words"]), texts(json["tags"]))
        days = Dictionary(
            uniqueKeysWithValues: [-1, 0, 1, 7].map { shift in
                (shift, String(Date(timeIntervalSinceNow: Double(shift) * 86_400).ISO8601Format().prefix(10)))
            })
        guard !people.isEmpty, !tasks.isEmpty, !words.isEmpty, !tags.isEmpty else { throw Failure("\(file) is empty") }
    }
}

/// One request: the same for both servers when its number is the same.
struct BenchRequest {
    enum Kind: String, CaseIterable {
        case list, get, create, complete
    }

    var kind: Kind
    var method = "GET"
    /// With the query, less the cursor.
    var path: String
    var body: String?
    /// Whose it is.
    var person: Int
    /// The page after is asked for by the next list.
    var isContinued = false
}

/// Chooses requests at random, but alike at every run.
struct Workload {
    let sample: Sample
    let dialect: Dialect

    /// - Parameter completion: gives the place of the next task that is to be completed.
    func request(_ number: Int, completion: () -> Int) -> BenchRequest {
        var random = Random(seed: UInt64(number))
        let person = random.below(sample.people.count)
        switch random.below(100) {
        case ..<60:
            var request = BenchRequest(kind: .list, path: list(person, &random), person: person)
            request.isContinued = random.below(100) < 20
            return request
        case ..<80:
            let task = sample.tasks[random.below(sample.tasks.count)]
            return BenchRequest(kind: .get, path: "/v1/tasks/\(task.id)", person: task.person)
        case ..<95:
            return BenchRequest(
                kind: .create, method: "POST", path: "/v1/tasks", body: draft(person, &random), person: person)
        default:
            let task = sample.tasks[completion() % sample.tasks.count]
            return BenchRequest(
                kind: .complete, method: "POST", path: "/v1/tasks/\(task.id)/complete", person: task.person)
        }
    }

    /// What apps show: a project, today, what comes, and what people search for. By hundredths.
    private func list(_ person: Int, _ random: inout Random) -> String {
        let share = random.below(100)
        let projects = sample.people[person].projects
        let project = projects[random.below(projects.count)]
        let (tag, other) = (random.one(of: sample.tags), random.one(of: sample.tags))
        let word = random.one(of: sample.words)
        func day(_ shift: Int) -> String { sample.days[shift] ?? "" }
        switch share {
        case ..<30: return path("status:open sort:position", "status=open&sort=position", "project=\(project)")
        case ..<55:
            return path("status:open due<=today sort:due,-priority", "status=open&due_to=\(day(0))&sort=due,-priority")
        case ..<70:
            return path(
                "status:open due>today sort:due,-priority", "status=open&due_from=\(day(1))&sort=due,-priority")
        case ..<80: return path("status:open tag:\(tag)", "status=open&tag=\(tag)")
        case ..<90: return path("status:open priority>=high sort:due", "status=open&priority_from=3&sort=due")
        case ..<95:
            return path(
                "due:today..+7d priority>=high (tag:\(tag) or tag:\(other)) status:open sort:due,-priority",
                "due_from=\(day(0))&due_to=\(day(7))&priority_from=3&tag=\(tag)&tag=\(other)&status=open&sort=due,-priority"
            )
        default: return path("status:open \(word)", "status=open&text=\(word)")
        }
    }

    private func path(_ query: String, _ parameters: String, _ shared: String = "") -> String {
        let own =
            dialect == .peer
            ? parameters : "q=" + (query.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
        return "/v1/tasks?\(own)\(shared.isEmpty ? "" : "&")\(shared)"
    }

    private func draft(_ person: Int, _ random: inout Random) -> String {
        let projects = sample.people[person].projects
        let project = projects[random.below(projects.count)]
        let title = (0..<4).map { _ in random.one(of: sample.words) }.joined(separator: " ")
        let text = (0..<random.below(30)).map { _ in random.one(of: sample.words) }.joined(separator: " ")
        let (tag, priority) = (random.one(of: sample.tags), random.below(5))
        let due = sample.days[7] ?? ""
        let name = ["none", "low", "medium", "high", "urgent"][priority]
        let own =
            dialect == .peer
            ? #""project_id":"\#(project)","priority":\#(priority),"due_date":"\#(due)""#
            : #""project":"\#(project)","priority":"\#(name)","due":{"date":"\#(due)"}"#
        return #"{"title":"\#(title)","description":"\#(text)","tags":["\#(tag)"],\#(own)}"#
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    mutating func one(of texts: [String]) -> String { texts[below(texts.count)] }

    /// From 0, not quite 1.
    mutating func fraction() -> Double { Double(next() >> 11) / Double(1 << 53) }
}
