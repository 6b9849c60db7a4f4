internal import TodoModel

/// Decides what to do next about the reminders that are due. It sleeps until the next one, never from tick to tick; looks
/// now and then all the same, since others plan, too, and what a worker had taken that died is free again; and lets what
/// was missed go out at a bounded rate, behind what is due now.
struct FiringSchedule: Sendable {
    struct Pace: Sendable {
        /// The longest that it goes without looking.
        var poll: Duration = .seconds(1)
        /// Between polls it looks no farther back than that: what has fired lies there, and takes time to pass over.
        var reach: Duration = .seconds(2)
        /// What was due for longer was missed.
        var patience: Duration = .seconds(60)
        /// How often missed ones are claimed while there are any, up to `FireStore.batch` each time.
        var catchUp: Duration = .seconds(1)
        /// And how often to look whether there are.
        var idleCatchUp: Duration = .seconds(10)
        /// How many claims run at once when one was not enough. More of them get in each other's way on a small server: six
        /// on two cores take a tenth longer, and keep the relay from publishing meanwhile.
        var lanes = 3
        /// After the first failure; doubled with each one that follows.
        var retry: Duration = .milliseconds(100)
        var longestRetry: Duration = .seconds(5)
    }

    enum Action: Sendable, Hashable {
        /// Claim what has become due since `after`, so many times at once.
        case fire(after: Instant, lanes: Int)
        /// Claim what was due by `through`.
        case catchUp(through: Instant)
        case fireDigests
        case sleep(until: Instant)
    }

    private let pace: Pace
    private var look: Instant
    private var next: Instant?
    private var nextCatchUp: Instant
    private var nextDigest: Instant?
    private var digestRetry: Instant?
    private var retry: Instant?
    private var failures = 0
    private var isBursting = false

    init(now: Instant, pace: Pace = Pace()) {
        self.pace = pace
        (look, nextCatchUp) = (now, now)
    }

    func action(at now: Instant) -> Action {
        let (look, nextCatchUp) = (
            due(self.look, within: pace.poll, at: now), due(self.nextCatchUp, within: pace.idleCatchUp, at: now)
        )
        if let retry, now < due(retry, within: pace.longestRetry, at: now) { return .sleep(until: retry) }
        let missed = now.advanced(by: .zero - pace.patience)
        let recent = now.advanced(by: .zero - pace.reach)
        // However much falls due now, what was missed and digests get their turn.
        let overdue = now.advanced(by: .zero - pace.catchUp)
        if nextCatchUp <= overdue { return .catchUp(through: missed) }
        if let nextDigest, nextDigest <= overdue { return .fireDigests }
        if look <= now || next.map({ $0 <= recent }) ?? false {
            return .fire(after: missed, lanes: isBursting ? pace.lanes : 1)
        }
        if let next, next <= now { return .fire(after: recent, lanes: 1) }
        if nextCatchUp <= now { return .catchUp(through: missed) }
        if let nextDigest, nextDigest <= now { return .fireDigests }
        return .sleep(until: [look, next, nextCatchUp, nextDigest].compactMap { $0 }.min() ?? now)
    }

    /// Now where `time` is farther off than it was ever set to be: the clock was set back since.
    private func due(_ time: Instant, within longest: Duration, at now: Instant) -> Instant {
        time > now.advanced(by: longest) ? now : time
    }

    /// - Parameters:
    ///   - after: of the action.
    ///   - isFull: there may be more.
    ///   - next: when the first one is due that is not yet.
    mutating func fired(after: Instant, isFull: Bool, next: Instant?, nextDigest: Instant?, at now: Instant) {
        recovered()
        isBursting = isFull
        if isFull {
            look = now
        } else if after.duration(to: now) >= pace.patience {
            look = now.advanced(by: pace.poll)
        }
        self.next = next
        let retry = digestRetry.map { due($0, within: pace.longestRetry, at: now) }
        self.nextDigest = nextDigest.map { max($0, retry ?? $0) }
    }

    /// - Parameter isFull: there may be more.
    mutating func caughtUp(isFull: Bool, at now: Instant) {
        recovered()
        nextCatchUp = now.advanced(by: isFull ? pace.catchUp : pace.idleCatchUp)
    }

    /// A portion of the digests that were due is done with; the next claim says when others are.
    ///
    /// - Parameters:
    ///   - isComplete: false when some could not be fired. They stay due, and are tried again after a while.
    ///   - isFull: there may be more.
    mutating func firedDigests(isComplete: Bool, isFull: Bool, at now: Instant) {
        recovered()
        digestRetry = isComplete || isFull ? nil : now.advanced(by: pace.longestRetry)
        nextDigest = isFull ? now : nil
        look = next.map { min(look, $0) } ?? look
    }

    /// Something is due at `instant`.
    mutating func ring(_ instant: Instant) { next = min(next ?? instant, instant) }

    mutating func failed(at now: Instant) {
        let delay = min(pace.retry * (1 << min(failures, 10)), pace.longestRetry)
        failures += 1
        retry = now.advanced(by: delay)
    }

    private mutating func recovered() {
        failures = 0
        retry = nil
    }
}
