internal import Concurrency
internal import ControllerRuntime
internal import HTTPTypes
public import KubernetesClient
internal import Logging

/// Reads a schedule of bindings.cron; the result gives the first time after the one that it is given.
/// Throws when it is none.
public typealias ScheduleReader =
    @Sendable (_ schedule: String) throws -> @Sendable (KubernetesTime) -> KubernetesTime?

/// Calls a route of the app at the times of a schedule (contract section 4).
struct CronBinding: Sendable, Hashable {
    let name: String
    let schedule: String
    let route: String
    /// Without `direction: input` the app is asked first whether it wants it.
    let isInput: Bool

    init(_ component: Component) {
        name = component.name
        schedule = component["schedule"] ?? ""
        route = component["route"] ?? "/\(component.name)"
        isInput = (component["direction"] ?? "").contains("input")
    }

    /// Runs until cancelled.
    func run(_ app: AppChannel, read: ScheduleReader, time: any TimeSource, logger: Logger) async {
        let next: @Sendable (KubernetesTime) -> KubernetesTime?
        do { next = try read(schedule) } catch {
            logger.error("a cron binding has no valid schedule", metadata: ["binding": "\(name)", "error": "\(error)"])
            return
        }
        guard await isWanted(by: app) else { return }
        var last = time.wallClock
        while let due = next(last) {
            let wait = time.wallClock.duration(to: due)
            guard (try? await time.sleep(until: time.now.advanced(by: max(wait, .zero)))) != nil else { return }
            last = due
            var headers: HTTPFields = [:]
            headers[.readTimeUTC] = due.text
            headers[.timeZone] = "UTC"
            let answer = await app.send(.post, route, headers: headers, timeout: .seconds(60))
            if answer?.status != 200 {
                logger.warning("the app did not take a cron trigger", metadata: ["binding": "\(name)"])
            }
        }
    }

    private func isWanted(by app: AppChannel) async -> Bool {
        if isInput { return true }
        guard let answer = await app.send(.options, route, timeout: .seconds(10)) else { return false }
        return (200..<300).contains(answer.status) || answer.status == 405
    }
}

extension HTTPField.Name {
    fileprivate static let readTimeUTC = HTTPField.Name("readTimeUTC") ?? .date
    fileprivate static let timeZone = HTTPField.Name("timeZone") ?? .date
}
