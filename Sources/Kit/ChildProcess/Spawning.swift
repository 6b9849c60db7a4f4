internal import CSpawn
internal import Concurrency
internal import Glibc

/// The thread that all children are forked from. It lives as long as the process: the kernel sends the parent-death
/// signal when the forking *thread* ends (prctl(2), PR_SET_PDEATHSIG).
final class SpawnThread: Sendable {
    static let shared = SpawnThread()
    private let jobs = Lock<[@Sendable () -> Void]>([])
    private let wakeUp: SpawnSemaphore

    private init() {
        let wakeUp = SpawnSemaphore()
        self.wakeUp = wakeUp
        Thread.start { [self] in
            while true {
                wakeUp.wait()
                let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                job?()
            }
        }
    }

    func run(_ job: @escaping @Sendable () -> Void) {
        jobs.withLock { $0.append(job) }
        wakeUp.post()
    }
}

/// A POSIX semaphore.
final class SpawnSemaphore: @unchecked Sendable {  // sem_t is made to be shared between threads
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }
    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }
    func wait() { while sem_wait(semaphore) < 0 && errno == EINTR {} }
}

/// A detached thread with a small stack.
enum Thread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ run: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 256 * 1024)
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run))
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        pthread_attr_destroy(&attributes)
        guard status == 0 else {
            body.release()
            preconditionFailure("no thread: \(String(cString: strerror(status)))")
        }
    }
}

/// Forks and executes; to be called on the spawn thread.
func spawn(_ specification: ChildProcess.Specification) -> Result<Int32, ChildProcessError> {
    func failure(_ code: Int32) -> Result<Int32, ChildProcessError> {
        .failure(ChildProcessError(path: specification.path, errno: code))
    }
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { return failure(errno) }
    var opened = [null]
    defer { for descriptor in opened { close(descriptor) } }

    func descriptor(_ output: ChildProcess.Specification.Output, inherited: Int32) -> Int32 {
        switch output {
        case .inherit: return inherited
        case .null: return null
        case .descriptor(let descriptor): return descriptor
        case .file(let path):
            let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            if file >= 0 { opened.append(file) }
            return file
        }
    }
    let output = descriptor(specification.standardOutput, inherited: STDOUT_FILENO)
    guard output >= 0 else { return failure(errno) }
    let error = descriptor(specification.standardError, inherited: STDERR_FILENO)
    guard error >= 0 else { return failure(errno) }

    var arguments = ([specification.path] + specification.arguments).map { strdup($0) } + [nil]
    var environment =
        specification.environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    let directory = specification.workingDirectory.map { strdup($0) } ?? nil
    let path = strdup(specification.path)
    defer {
        for pointer in arguments + environment + [directory, path] { free(pointer) }
    }
    var request = child_request()
    request.path = UnsafePointer(path)
    request.working_directory = UnsafePointer(directory)
    switch specification.standardInput {
    case .null: request.standard_input = null
    case .descriptor(let descriptor): request.standard_input = descriptor
    case .inherit:
        request.standard_input = STDIN_FILENO
        request.stays_in_group = 1
    }
    request.standard_output = output
    request.standard_error = error
    request.shared = specification.sharedDescriptor ?? -1
    if let user = specification.user {
        request.change_user = 1
        request.user_id = user.uid
        request.group_id = user.gid
    }
    request.parent_death_signal = specification.signalWhenParentEnds ?? 0
    let pid = arguments.withUnsafeMutableBufferPointer { argumentList in
        environment.withUnsafeMutableBufferPointer { variables in
            request.arguments = UnsafePointer(argumentList.baseAddress)
            request.environment = UnsafePointer(variables.baseAddress)
            return spawn_child(&request)
        }
    }
    return pid > 0 ? .success(pid) : failure(-pid)
}
