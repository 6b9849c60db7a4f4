import Foundation

/// What the command line asks for.
struct Options {
    var users = 200
    var tasks = 10_000
    /// Of each measurement.
    var seconds = 15
    var rounds = 3
    /// Requests/s where the rate is given.
    var rate = 500
    /// To PostgreSQL, of each process that answers.
    var connections = 16
    var isPeerWanted = true
    var program = Self.repository + "/.build/release/todo"

    /// The top of the checkout: this program lies in `Tests/Benchmarks/.build/<machine>/<mode>`.
    static let repository = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "../../../../..").standardizedFileURL.path

    init(_ arguments: some Collection<String>) throws {
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw Failure("\(name) needs a value") }
            switch name {
            case "--users": users = try Self.count(name, value)
            case "--tasks": tasks = try Self.count(name, value)
            case "--seconds": seconds = try Self.count(name, value)
            case "--rounds": rounds = try Self.count(name, value)
            case "--rate": rate = try Self.count(name, value)
            case "--connections": connections = try Self.count(name, value)
            case "--peer": isPeerWanted = value == "yes"
            case "--todo": program = value
            default: throw Failure("\(name) is unknown; the head of main.swift names all options")
            }
        }
    }

    private static func count(_ name: String, _ text: String) throws -> Int {
        guard let number = Int(text), number > 0 else { throw Failure("\(name) must be a number from 1") }
        return number
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func until(_ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw Failure("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(50))
    }
}
