internal import ChildProcess
internal import Glibc

/// The folder of a server: `data`, which PostgreSQL owns, and beside it what only we write: `lock`, `log`, `password`,
/// `port`.
///
/// For root the server runs as another user. The folder stays root's, who so never writes where that user could have
/// put a link.
struct PostgresFolder: Sendable {
    let path: String
    let account: UnixAccount?

    var data: String { "\(path)/data" }
    var log: String { "\(path)/log" }
    var passwordFile: String { "\(path)/password" }
    private var portFile: String { "\(path)/port" }

    /// The major version of PostgreSQL that made the data; nil when there is none yet.
    var dataVersion: String? { try? SmallFile.read("\(data)/PG_VERSION") }

    init(_ path: String) throws(LocalPostgresError) {
        self.path = path
        account = try UnixAccount.forPostgres()
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .io("make", path) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .io("use", path) }
        defer { close(descriptor) }
        // Others may pass through it, to the data; they cannot list it.
        guard account == nil || fchown(descriptor, 0, 0) == 0 && fchmod(descriptor, 0o711) == 0 else {
            throw .io("use", path)
        }
    }

    /// - Throws: when the user who runs PostgreSQL cannot get to the folder.
    func checkWayIn() async throws(LocalPostgresError) {
        guard let account else { return }
        let parts = path.split(separator: "/")
        let ancestors = parts.indices.map { "/" + parts[...$0].joined(separator: "/") }
        let script = #"for folder; do cd "$folder" 2>/dev/null || { printf %s "$folder"; exit 1; }; done"#
        var command = ChildProcess.Specification(path: "/bin/sh", arguments: ["-c", script, "sh"] + ancestors)
        command.workingDirectory = "/"
        command.user = (account.uid, account.gid)
        let captured: ChildProcess.Captured
        do { captured = try await ChildProcess.capture(command) } catch { throw .start(error.description) }
        guard case .ended(.exited(1), let closed) = captured else { return }
        let folder = String(decoding: closed, as: UTF8.self)
        throw .folder(
            "PostgreSQL runs as the user \(account.name), who cannot enter \(folder): name another folder with "
                + "--data-dir, or run chmod o+x \(folder)")
    }

    /// The superuser's; made at the first call. The server's user may read the file: initdb does.
    func password() throws(LocalPostgresError) -> String {
        if access(passwordFile, F_OK) == 0 { return try SmallFile.read(passwordFile) }
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        let password = String((0..<32).compactMap { _ in alphabet.randomElement() })
        try SmallFile.write(password, to: passwordFile, owner: account)
        return password
    }

    /// `wanted`, else the port of the last start, else a free one; kept for the next start.
    func port(_ wanted: Int?) throws(LocalPostgresError) -> Int {
        var port = wanted
        if port == nil, let last = (try? SmallFile.read(portFile)).flatMap({ Int($0) }) {
            port = LoopbackPort.obstacle(last) == nil ? last : nil
        }
        let chosen = if let port { port } else { try LoopbackPort.free() }
        try SmallFile.write("\(chosen)", to: portFile)
        return chosen
    }

    /// Removes the file by which a server that was killed would keep the next from starting: PostgreSQL minds it when a
    /// process of today has the same number. To be called with the lock held.
    func removeStaleProcessFile() throws(LocalPostgresError) {
        let file = "\(data)/postmaster.pid"
        guard let text = try? SmallFile.read(file) else { return }
        if let pid = text.split(separator: "\n").first.flatMap({ Int32($0) }), isInData(pid) {
            throw .start("another PostgreSQL, process \(pid), runs on \(data): stop it first")
        }
        unlink(file)
    }

    /// Ends what a postmaster that was killed has left: most of it ends by itself at once, but the process that recovers
    /// the data first tries for a minute to reach others that are gone, and meanwhile no successor can start. Nothing is
    /// lost by that but what a loss of power would cost. Returns when all are gone.
    func endOrphans() async {
        guard let text = try? SmallFile.read("\(data)/postmaster.pid"),
            let postmaster = text.split(separator: "\n").first.flatMap({ Int32($0) }), !isInData(postmaster)
        else { return }
        for _ in 0..<100 {
            let orphans = processes().filter { isInData($0) && isPostgres($0) }
            if orphans.isEmpty { return }
            for orphan in orphans { kill(orphan, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(10))  // nobody tells when the child of another has ended
        }
    }

    private func processes() -> [Int32] {
        guard let proc = opendir("/proc") else { return [] }
        defer { closedir(proc) }
        var found: [Int32] = []
        while let entry = readdir(proc) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let pid = Int32(name) { found.append(pid) }
        }
        return found
    }

    /// Not a shell, say, that somebody has taken there.
    private func isPostgres(_ pid: Int32) -> Bool {
        guard let program = realpath("/proc/\(pid)/exe", nil) else { return false }
        defer { free(program) }
        return String(cString: program).hasSuffix("/postgres")
    }

    /// A server works in its data folder.
    private func isInData(_ pid: Int32) -> Bool {
        var working = stat()
        var ours = stat()
        return stat("/proc/\(pid)/cwd", &working) == 0 && stat(data, &ours) == 0
            && working.st_dev == ours.st_dev && working.st_ino == ours.st_ino
    }

    /// Makes the data beside its place and moves it there when whole: a start that was cut short leaves nothing that
    /// looks like a database.
    func initialise(_ programs: PostgresPrograms, lock: FolderLock) async throws(LocalPostgresError) {
        let unfinished = "\(path)/data.new"
        try await run("/bin/rm", ["-rf", unfinished], as: nil, lock)
        guard mkdir(unfinished, 0o700) == 0 else { throw .io("make", unfinished) }
        if let account, lchown(unfinished, account.uid, account.gid) != 0 { throw .io("give away", unfinished) }
        try await run(
            programs.path("initdb"),
            [
                "-D", unfinished, "-U", LocalPostgres.user, "--auth=scram-sha-256", "--pwfile=\(passwordFile)",
                "-E", "UTF8", "--locale=C.UTF-8",
            ], as: account, lock)
        guard rename(unfinished, data) == 0 else { throw .io("rename", unfinished) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .io("write", path) }
    }

    private func run(
        _ program: String, _ arguments: [String], as account: UnixAccount?, _ lock: FolderLock
    ) async throws(LocalPostgresError) {
        var command = ChildProcess.Specification(
            path: "/bin/sh", arguments: ["-c", #"exec "$0" "$@" 2>&1"#, program] + arguments,
            environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"])
        command.workingDirectory = path
        command.user = account.map { (uid: $0.uid, gid: $0.gid) }
        command.signalWhenParentEnds = SIGKILL
        command.sharedDescriptor = lock.descriptor
        let captured: ChildProcess.Captured
        do { captured = try await ChildProcess.capture(command) } catch { throw .start(error.description) }
        if Task.isCancelled { throw .stopped }
        guard case .ended(let exit, let output) = captured else { throw .stopped }
        guard exit != .exited(0) else { return }
        // What follows the first error is its consequence.
        let why = ServerLog.errors(in: output).first ?? "\(exit)"
        throw .start("\(program) could not make a database in \(path): \(why)")
    }
}

/// The lock of a folder. Every process of the server has it as well, so that it is free once the last of them has ended,
/// also after their parent was killed.
final class FolderLock: Sendable {
    let descriptor: Int32

    /// Waits for an old server that is ending.
    init(_ folder: PostgresFolder) async throws(LocalPostgresError) {
        let file = "\(folder.path)/lock"
        descriptor = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .io("write", file) }
        for attempt in 0..<400 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return }
            if attempt % 20 == 19 { await folder.endOrphans() }
            // A call that waits for the lock could not be cancelled.
            do { try await Task.sleep(for: .milliseconds(50)) } catch { throw .stopped }  // nobody tells
        }
        throw .start("another PostgreSQL uses \(folder.path): stop the program that runs it first")
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
