public import TodoStore

/// When the relay looks into the outbox again, by what came of the looks before.
public struct RelayPace: Sendable {
    public enum Pause: Sendable, Hashable {
        case none
        /// Until this process commits something, at most so long.
        case untilCommit(atMost: Duration)
        /// So long, whatever is committed.
        case time(Duration)
    }

    /// So late at most is found what another process committed.
    private static let pollInterval: Duration = .milliseconds(50)
    /// How soon to look again whether all that is due has been fired.
    private static let firingInterval: Duration = .milliseconds(10)
    /// How soon to look again while another process relays.
    private static let standbyInterval: Duration = .milliseconds(250)
    /// As long as somebody's events are not taken, the others' wait no longer than this.
    private static let longestHold: Duration = .seconds(1)
    private static let longestPause: Duration = .seconds(5)

    private var lastPause = Self.pollInterval
    /// Another process was found at work since this one last published: only one needs to be quick, and the others would
    /// keep those from the processors that fire.
    private var isStandby = false

    public init() {}

    public mutating func pause(after outcome: Outbox.Outcome) -> Pause {
        if case .published(_, let held) = outcome {
            isStandby = false
            // Not ended by commits: each attempt may send again what comes after the one that was refused.
            if held > 0 { return lengthened(atMost: Self.longestHold) }
        }
        lastPause = Self.pollInterval
        switch outcome {
        case .published: return .none
        case .empty: return .untilCommit(atMost: Self.pollInterval)
        case .firing where !isStandby: return .untilCommit(atMost: Self.firingInterval)
        case .busy, .firing:
            isStandby = true
            return .untilCommit(atMost: Self.standbyInterval)
        }
    }

    /// Not ended by commits: what is down does not come back by more of them.
    public mutating func pauseAfterFailure() -> Pause { lengthened(atMost: Self.longestPause) }

    private mutating func lengthened(atMost limit: Duration) -> Pause {
        lastPause = min(lastPause * 2, limit)
        return .time(lastPause)
    }
}
