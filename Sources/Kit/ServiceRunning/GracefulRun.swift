public import Logging
public import ServiceLifecycle

/// Runs a server until this task is cancelled, and stops it in good order then: it first closes its port and serves the
/// connections that it has taken. A server that is cancelled outright may end the process: a connection that came in at
/// that moment is let go of in a way that NIO does not forgive.
///
/// - Parameters:
///   - patience: how long connections may take to end; what is left then is cut off.
public func runUntilCancelled(
    _ server: any Service, patience: Duration = .seconds(2), logger: Logger
) async throws {
    var configuration = ServiceGroupConfiguration(services: [.init(service: server)], logger: logger)
    configuration.maximumGracefulShutdownDuration = patience
    let group = ServiceGroup(configuration: configuration)
    let running = Task { try await group.run() }
    try await withTaskCancellationHandler {
        try await withGracefulShutdownHandler {
            try await running.value
        } onGracefulShutdown: {
            Task { await group.triggerGracefulShutdown() }
        }
    } onCancel: {
        Task { await group.triggerGracefulShutdown() }
    }
}

/// Runs `group` apart from the graceful shutdown of whoever runs this task, for its own has to come later: only after
/// `drain`, in which whoever routes here has time to notice. Cancelling the task cancels the group.
public func run(_ group: ServiceGroup, draining drain: @escaping @Sendable () async -> Void) async throws {
    let serving = Task.detached { try await group.run() }
    try await withTaskCancellationHandler {
        try await withGracefulShutdownHandler {
            try await serving.value
        } onGracefulShutdown: {
            Task {
                await drain()
                await group.triggerGracefulShutdown()
            }
        }
    } onCancel: {
        serving.cancel()
    }
}
