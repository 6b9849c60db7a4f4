internal import ControllerRuntime

/// The results of one probe of one run of a container, counted against its thresholds.
struct ProbeState: Sendable {
    let probe: Probe
    /// When it is to be asked next; nil while it is being asked.
    private(set) var due: Instant?
    private var successes = 0
    private var failures = 0
    /// What the probe says; nil while neither threshold was reached.
    private(set) var verdict: Bool?

    init(_ probe: Probe, started: Instant) {
        self.probe = probe
        due = started.advanced(by: probe.initialDelay)
    }

    mutating func begin() { due = nil }

    /// True when the verdict changed.
    mutating func record(_ succeeded: Bool, now: Instant) -> Bool {
        due = now.advanced(by: probe.period)
        successes = succeeded ? successes + 1 : 0
        failures = succeeded ? 0 : failures + 1
        let old = verdict
        if successes >= probe.successThreshold { verdict = true }
        if failures >= probe.failureThreshold { verdict = false }
        return verdict != old
    }
}
