internal import Glibc

/// Runs a call that blocks (name resolution, a C library's synchronous function) on a thread of its own, so that
/// neither the cooperative pool nor other blocking calls wait for it. Cancelling the task does not interrupt the call.
public func runBlocking<Success: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Success
) async throws(Failure) -> Success {
    let result: Result<Success, Failure> = await withCheckedContinuation { continuation in
        startThread(name: "blocking") { continuation.resume(returning: Result(catching: body)) }
    }
    return try result.get()
}

/// Starts a detached thread. Debuggers show the name on threads that set it.
func startThread(name: String, _ body: @escaping @Sendable () -> Void) {
    let box = Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
    precondition(status == 0, "no thread left for \(name) (errno \(status))")
    pthread_detach(thread)
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
