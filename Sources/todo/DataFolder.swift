import Glibc

/// Where `todo up` and `todo cluster` keep what must outlive them.
enum DataFolder {
    /// How its files are laid out; a greater number is of a newer program.
    private static let format = 1

    /// Makes the folder, and holds it until this process ends: nobody else may use it meanwhile.
    ///
    /// `--data-dir`; else for root `/var/lib/todo-operator`, for others `$XDG_DATA_HOME/todo-operator` or
    /// `~/.local/share/todo-operator`.
    static func take(_ option: String?) throws(CommandFailure) -> String {
        let path = option ?? standard
        guard let path, !path.isEmpty else {
            throw CommandFailure("there is no folder to keep data in; name one with --data-dir")
        }
        try make(path)
        guard let absolute = realpath(path, nil) else { throw failure("use", path) }
        defer { free(absolute) }
        let folder = String(cString: absolute)
        try lock(folder)
        try checkFormat(folder)
        return folder
    }

    private static var standard: String? {
        if geteuid() == 0 { return "/var/lib/todo-operator" }
        if let data = variable("XDG_DATA_HOME") { return "\(data)/todo-operator" }
        return variable("HOME").map { "\($0)/.local/share/todo-operator" }
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Makes the folder and those above it. PostgreSQL does not run as root, and its user must pass through root's
    /// folders, whatever the umask; what is secret in them has modes of its own.
    private static func make(_ path: String) throws(CommandFailure) {
        let mode: mode_t = geteuid() == 0 ? 0o711 : 0o700
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            if mkdir(prefix, mode) == 0 {
                guard chmod(prefix, mode) == 0 else { throw failure("use", prefix) }
            } else if errno != EEXIST {
                throw failure("make", prefix)
            }
        }
    }

    /// The descriptor is never closed: the lock goes with the process.
    private static func lock(_ folder: String) throws(CommandFailure) {
        let file = "\(folder)/lock"
        let descriptor = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write in", folder) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            var buffer = [UInt8](repeating: 0, count: 32)
            let count = read(descriptor, &buffer, buffer.count)
            let holder = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            throw CommandFailure(
                "\(folder) is in use by todo, process \(holder): stop that, or name another folder with --data-dir")
        }
        let text = Array("\(getpid())".utf8)
        guard ftruncate(descriptor, 0) == 0, write(descriptor, text, text.count) == text.count else {
            throw failure("write in", folder)
        }
    }

    private static func checkFormat(_ folder: String) throws(CommandFailure) {
        let file = "\(folder)/format"
        let descriptor = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write in", folder) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &buffer, buffer.count)
        let found = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: "\n").first ?? ""
        guard found.isEmpty || found == "\(format)" else {
            throw CommandFailure(
                "\(folder) was written by a newer todo: run that one, or name another folder with --data-dir")
        }
        let text = Array("\(format)\n".utf8)
        guard pwrite(descriptor, text, text.count, 0) == text.count else { throw failure("write in", folder) }
    }

    private static func failure(_ verb: String, _ path: String) -> CommandFailure {
        CommandFailure(
            "cannot \(verb) \(path): \(String(cString: strerror(errno))); name another folder with --data-dir")
    }
}
