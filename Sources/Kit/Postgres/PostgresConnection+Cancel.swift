internal import Concurrency
internal import Logging

extension PostgresConnection {
    /// A request to the server to stop a statement, while it is under way.
    struct Cancellation {
        let request: Task<Void, Never>
        let deadline: Task<Void, any Error>
    }

    /// Asks the server to stop the statement, if it still is the one that was meant. A server that does not react
    /// within `cancelGrace` loses its connection, so that cancelling always ends.
    func cancelOnServer(operation cancelled: Int) {
        guard operation == cancelled, cancellation == nil, let key = link?.cancelKey else { return }
        let grace = configuration.cancelGrace
        cancellation = Cancellation(
            request: Task { await requestCancel(operation: cancelled, key) },
            deadline: Task {
                try await Task.sleep(for: grace)  // the deadline itself; cancelled when the statement ends
                if operation == cancelled {
                    end(.connectionLost("a cancelled statement did not end within \(grace)", statement: "(cancelled)"))
                }
            })
    }

    /// Asks again while the statement goes on: the server ignores a request that comes before it has begun to run it.
    private func requestCancel(operation cancelled: Int, _ key: CancelKey) async {
        var pause = Duration.milliseconds(20)
        while operation == cancelled, !Task.isCancelled {
            if let why = await runBlocking({ key.cancel() }) {
                logger.warning("PostgreSQL did not take a cancel request", metadata: ["error": "\(why)"])
            }
            try? await Task.sleep(for: pause)  // ends early when the statement has ended
            pause *= 2
        }
    }

    /// A request that is still on its way could hit the next statement: it is awaited before there is one.
    func settleCancellation() async {
        guard let pending = cancellation else { return }
        pending.deadline.cancel()
        pending.request.cancel()
        await pending.request.value
        cancellation = nil
    }
}
