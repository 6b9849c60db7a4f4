import Glibc

/// Where `todo up` and `todo cluster` keep what must outlive them.
enum DataFolder {
    /// `--data-dir`; else for root `/var/lib/todo-operator`, for others `$XDG_DATA_HOME/todo-operator` or
    /// `~/.local/share/todo-operator`.
    static func resolve(_ option: String?) throws(CommandFailure) -> String {
        let path = option ?? standard
        guard let path, !path.isEmpty else { throw CommandFailure("HOME is not set; name a folder with --data-dir") }
        try make(path)
        guard let absolute = realpath(path, nil) else { throw failure("use", path) }
        defer { free(absolute) }
        return String(cString: absolute)
    }

    private static var standard: String? {
        if geteuid() == 0 { return "/var/lib/todo-operator" }
        if let data = variable("XDG_DATA_HOME") { return "\(data)/todo-operator" }
        return variable("HOME").map { "\($0)/.local/share/todo-operator" }
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Makes the folder and those above it. PostgreSQL's user must be able to pass through, so it is not 0700: what is
    /// secret in it has modes of its own.
    private static func make(_ path: String) throws(CommandFailure) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            guard mkdir(prefix, 0o755) == 0 || errno == EEXIST else { throw failure("make", prefix) }
        }
    }

    private static func failure(_ verb: String, _ path: String) -> CommandFailure {
        CommandFailure(
            "cannot \(verb) \(path): \(String(cString: strerror(errno))); name another folder with --data-dir")
    }
}
