import Testing
import TodoModel
import TodoStore

@testable import NotificationService

@Suite struct RulesTests {
    private let rules = DeliveryRules()
    private let now = Instant("2026-11-21T12:00:00Z") ?? .now()

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(86_400)])
    func `however long a receiver asks to wait, it is tried again when the time is up`(wait: Duration) {
        var failure = AttemptFailure(message: "busy")
        failure.retryAfter = wait
        let now = Instant(microsecondsSince1970: 1_000_000_000)
        let giveUp = now + .seconds(3600)
        let verdict = rules.verdict(on: failure, attempts: 1, giveUp: giveUp, now: now, jitter: 0.5)
        #expect(verdict == .retry(at: giveUp, error: "busy"))
    }

    @Test func `the wait grows to two hours, from half to one and a half of it`() {
        for count in 1...40 {
            let (least, most) = (
                rules.delay(afterAttempts: count, jitter: 0), rules.delay(afterAttempts: count, jitter: 1)
            )
            #expect(most == least * 3 && most <= .seconds(10_800) && least >= .seconds(5))
            #expect(rules.delay(afterAttempts: count + 1, jitter: 0) >= least)
        }
        #expect(rules.delay(afterAttempts: 3, jitter: 0.5) == .seconds(160))
        #expect(rules.delay(afterAttempts: 40, jitter: 0.5) == .seconds(7200))
    }

    @Test func `a day of attempts ends with one when the time is up`() {
        for seed in 0..<50 {
            var (time, attempts) = (now, 0)
            let giveUp = now + .seconds(86_400)
            while true {
                attempts += 1
                let verdict = rules.verdict(
                    on: AttemptFailure(message: "x"), attempts: attempts, giveUp: giveUp, now: time,
                    jitter: Double((seed * 37 + attempts * 61) % 100) / 100)
                guard case .retry(let next, _) = verdict else { break }
                #expect(next > time && next <= giveUp)
                time = next
            }
            #expect(time == giveUp && (9...30).contains(attempts), "\(attempts)")
        }
    }

    @Test func `a receiver says when to come again, and what is for good is for good`() {
        func verdict(_ failure: AttemptFailure) -> DeliveryVerdict {
            rules.verdict(on: failure, attempts: 1, giveUp: now + .seconds(86_400), now: now, jitter: 0.5)
        }
        #expect(verdict(.init(message: "x", retryAfter: .seconds(600))) == .retry(at: now + .seconds(600), error: "x"))
        #expect(verdict(.init(message: "x", retryAfter: .seconds(1))) == .retry(at: now + .seconds(10), error: "x"))
        #expect(
            verdict(.init(message: "x", retryAfter: .seconds(1_000_000)))
                == .retry(at: now + .seconds(86_400), error: "x"))
        #expect(verdict(.init(message: "x", isPermanent: true)) == .dead(error: "x"))
    }

    @Test func `a circuit opens after five failures in a row, longer each time, and closes with a success`() {
        var circuit = Circuit()
        for _ in 0..<4 { circuit.failed(at: now) }
        #expect(!circuit.isOpen(at: now))
        circuit.failed(at: now)
        #expect(circuit.isOpen(at: now + .seconds(29)) && !circuit.isOpen(at: now + .seconds(30)))
        for _ in 0..<10 { circuit.failed(at: now + .seconds(1)) }
        #expect(circuit.failures == 5, "what was under way when it opened does not count")
        var time = now
        var pauses: [Duration] = []
        for _ in 0..<12 {
            time = circuit.blockedUntil ?? time
            circuit.failed(at: time)
            pauses.append((circuit.blockedUntil ?? time) - time)
        }
        #expect(pauses.prefix(3) == [.seconds(60), .seconds(120), .seconds(240)] && pauses.last == .seconds(1800))
        circuit.succeeded()
        #expect(circuit == Circuit())
    }
}
