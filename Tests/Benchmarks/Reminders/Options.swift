/// What the command line asks for.
struct Options {
    /// Reminders that are not due.
    var pending = 0
    var tasks = 100_000
    /// Of the measurement at 200/s; the one at 1,000/s takes three times that.
    var seconds = 20

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ arguments: some Collection<String>) throws {
        var rest = Array(arguments)[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst().flatMap({ Int($0) }), value >= 0 else {
                throw Failure(description: "\(name) needs a number")
            }
            switch name {
            case "--pending": pending = value
            case "--tasks": tasks = value
            case "--seconds": seconds = value
            default: throw Failure(description: "\(name) is unknown; use --pending, --tasks, --seconds")
            }
        }
    }
}
