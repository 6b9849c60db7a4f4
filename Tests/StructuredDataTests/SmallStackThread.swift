import Foundation

/// Runs `body` on a thread with the 512 KiB of stack that worker threads have.
func onSmallStack<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value? {
    let result = Result<Value>()
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
        result.value = body()
        done.signal()
    }
    thread.stackSize = 512 << 10
    thread.start()
    done.wait()
    return result.value
}

/// Written before the signal, read after the wait.
private final class Result<Value: Sendable>: @unchecked Sendable {
    var value: Value?
}
