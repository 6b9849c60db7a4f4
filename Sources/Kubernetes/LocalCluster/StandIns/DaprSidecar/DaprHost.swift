internal import Concurrency
public import ControllerRuntime
internal import HTTPTransport
public import Logging
public import TopicLog

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The sidecars of one machine, with the topics, states and groups behind them: what Dapr and a broker are to a cluster.
///
/// A sidecar keeps to the HTTP contract of Dapr: publish, bulk publish, subscriptions, state, secrets, cron bindings,
/// metadata, health and tokens both ways. Every pub/sub component stands for the topic log, every state store for the
/// state log; both are in `folder` and survive a crash.
public final class DaprHost: Sendable {
    private struct Running: Sendable {
        let sidecar: Sidecar
        let port: Int
        let tasks: [Task<Void, Never>]
    }

    public let topics: TopicLog
    private let services: SidecarServices
    /// Nil until they are known: no sidecar is ready before.
    private let resources = Lock<DaprResources?>(nil)
    /// By the pod's uid.
    private let running = Lock<[String: Task<Running, any Error>]>([:])

    /// - Throws: `TopicLogError` when the folder cannot be used.
    public init(
        topics configuration: TopicLog.Configuration, stateFolder: String, secrets: @escaping SecretReader,
        schedules: @escaping ScheduleReader, time: any TimeSource = SystemTime(), logger: Logger
    ) throws(TopicLogError) {
        topics = try TopicLog(configuration, logger: logger)
        services = SidecarServices(
            topics: topics, states: try StateLog(folder: stateFolder, logger: logger), groups: ConsumerGroups(),
            transport: CurlTransport(configuration: .init(proxy: .none, offersHTTP2: false)), secrets: secrets,
            schedules: schedules, time: time, logger: logger)
    }

    /// Makes what these objects say hold for all sidecars.
    public func update(_ new: DaprResources) {
        resources.withLock { $0 = new }
        for task in running.withLock({ Array($0.values) }) { Task { tell(try await task.value.sidecar) } }
    }

    /// Under the lock, so that of several updates the last one holds, in whichever order they get to the sidecar.
    private func tell(_ sidecar: Sidecar) {
        resources.withLock { if let resources = $0 { sidecar.update(resources) } }
    }

    /// Starts the pod's sidecar, unless it runs.
    /// - Returns: its port on 127.0.0.1.
    public func start(_ pod: SidecarPod) async throws -> Int {
        let task = running.withLock { running in
            if let task = running[pod.uid] { return task }
            let task = Task { try await self.begin(pod) }
            running[pod.uid] = task
            return task
        }
        do { return try await task.value.port } catch {
            // Another container of the pod may have tried again meanwhile.
            running.withLock { if $0[pod.uid] == task { $0[pod.uid] = nil } }
            throw error
        }
    }

    private func begin(_ pod: SidecarPod) async throws -> Running {
        let sidecar = Sidecar(pod, uuid: UUID().uuidString.lowercased(), services: services)
        let (port, listening) = try await listen(sidecar, .app)
        var tasks = [listening]
        if let open = pod.openPort {
            do {
                tasks.append(try await listen(sidecar, .open(address: pod.address, port: open)).1)
            } catch {
                listening.cancel()
                throw error
            }
        }
        tasks.append(Task { await sidecar.run() })
        tell(sidecar)
        return Running(sidecar: sidecar, port: port, tasks: tasks)
    }

    private func listen(
        _ sidecar: Sidecar, _ door: SidecarListener.Door
    ) async throws -> (Int, Task<Void, Never>) {
        let (outcomes, outcome) = AsyncThrowingStream<Int, any Error>.makeStream()
        let task = Task {
            do {
                try await SidecarListener(sidecar: sidecar, door: door).run { outcome.yield($0) }
                outcome.finish()
            } catch {
                sidecar.logger.error("a sidecar does not listen any more", metadata: ["error": "\(error)"])
                outcome.finish(throwing: error)
            }
        }
        for try await port in outcomes { return (port, task) }
        throw CancellationError()
    }

    /// Brings the pod no more events: others of its group take over. Its app may still call.
    public func drain(uid: String) async {
        try? await running.withLock { $0[uid] }?.value.sidecar.drain()
    }

    public func stop(uid: String) async {
        guard let gone = try? await running.withLock({ $0.removeValue(forKey: uid) })?.value else { return }
        for task in gone.tasks {
            task.cancel()
            await task.value
        }
    }

    /// Ends all sidecars; returns when everything is on the disk. The host cannot be used again.
    public func close() async throws(TopicLogError) {
        for uid in running.withLock({ Array($0.keys) }) { await stop(uid: uid) }
        try await topics.close()
        try await services.states.close()
    }
}
