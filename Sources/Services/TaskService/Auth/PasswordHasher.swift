internal import Concurrency
internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
internal import ServiceHTTP

/// Makes of passwords what is kept, by scrypt (RFC 7914) with 32 MiB and some 100 ms of a core each; only so many at a
/// time, and so many that wait, so that guessing cannot take the machine away from everybody else.
///
/// Members, who have a password here, go before strangers, who come with any address that they like: strangers have one of
/// the two places at most, and wait for it in a line of their own where they make an account.
final class PasswordHasher: Sendable {
    /// Who goes first comes first.
    private enum Party: CaseIterable {
        case member, stranger

        var mostAtOnce: Int { self == .member ? 2 : 1 }
        var mostWaiting: Int { self == .member ? 32 : 8 }
    }

    private struct Line {
        var running = 0
        var waiting: [CheckedContinuation<Void, any Error>] = []
    }

    private struct Lines {
        var member = Line()
        var stranger = Line()

        subscript(party: Party) -> Line {
            get { party == .member ? member : stranger }
            set { if party == .member { member = newValue } else { stranger = newValue } }
        }
    }

    private struct State {
        var lines = Lines()
        /// How long the last one took, without the wait.
        var workTime: Duration = .milliseconds(100)

        /// How long it takes a member who comes now.
        var membersTime: Duration {
            let ahead = lines.member.running + lines.stranger.running + lines.member.waiting.count
            return workTime * (1 + ahead / PasswordHasher.mostAtOnce)
        }

        /// Takes a place for one of a party; false when there is none.
        mutating func begin(_ party: Party) -> Bool {
            guard lines.member.running + lines.stranger.running < PasswordHasher.mostAtOnce,
                lines[party].running < party.mostAtOnce
            else { return false }
            lines[party].running += 1
            return true
        }

        /// Whether one more of a party may wait.
        func hasRoom(_ party: Party) -> Bool { lines[party].waiting.count < party.mostWaiting }
    }

    private static let (blockSize, parallelism, length) = (8, 1, 32)
    private static let mostAtOnce = 2
    private static let tooMany = Problem.unavailable("too many people sign in right now; try again")

    typealias Derivation =
        @Sendable (
            _ password: String, _ salt: Data, _ cost: Int, _ blockSize: Int, _ parallelism: Int
        ) throws -> Data

    private let cost: Int
    private let derive: Derivation
    private let state = Lock(State())

    /// - Parameter cost: scrypt's N, a power of two.
    init(cost: Int, derive: @escaping Derivation = PasswordHasher.scrypt) {
        self.cost = cost
        self.derive = derive
    }

    /// `scrypt$32768$8$1$SALT$KEY`, in base64. Throws 503 when too many wait.
    ///
    /// - Parameter isNew: for an account that is to be made, by whoever comes.
    func hash(_ password: String, isNew: Bool = false) async throws -> String {
        let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
        let key = try await inTurn(isNew ? .stranger : .member) { [cost, derive] in
            try derive(password, salt, cost, Self.blockSize, Self.parallelism)
        }
        return "scrypt$\(cost)$\(Self.blockSize)$\(Self.parallelism)$"
            + "\(salt.base64EncodedString())$\(key.base64EncodedString())"
    }

    /// Whether `stored` was made of the password. Without one it takes about as long, whoever else is there, so that nobody
    /// learns who has an account. Throws 503 when too many members wait, with one or without.
    func verify(_ password: String, against stored: String?) async throws -> Bool {
        let parts = (stored ?? "").split(separator: "$").map(String.init)
        guard parts.count == 6, parts[0] == "scrypt", let storedCost = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Data(base64Encoded: parts[4]),
            let key = Data(base64Encoded: parts[5])
        else {
            try await passTime(password)
            return false
        }
        let derived = try await inTurn(.member) { [derive] in
            try derive(password, salt, storedCost, blockSize, parallelism)
        }
        return SHA256.hash(data: derived) == SHA256.hash(data: key)
    }

    /// As long as a check takes. What comes of it is known before: where there is no place at once a stranger only waits,
    /// which costs nothing, and no longer than a member would; a line of strangers would tell who is one.
    private func passTime(_ password: String) async throws {
        let pause: Duration? = try state.withLock { state in
            if state.begin(.stranger) { return nil }
            guard state.hasRoom(.member) else { throw Self.tooMany }
            return state.membersTime
        }
        if let pause { return try await Task.sleep(for: pause) }
        _ = try await work(.stranger) { [cost, derive] in
            try derive(password, Data(count: 16), cost, Self.blockSize, Self.parallelism)
        }
    }

    private static func scrypt(
        _ password: String, _ salt: Data, _ cost: Int, _ blockSize: Int, _ parallelism: Int
    ) throws -> Data {
        try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: Self.length, rounds: cost, blockSize: blockSize,
            parallelism: parallelism
        ).withUnsafeBytes { Data($0) }
    }
}

/// Turns.
extension PasswordHasher {
    private func inTurn(_ party: Party, _ body: @escaping @Sendable () throws -> Data) async throws -> Data {
        try await takeTurn(party)
        return try await work(party, body)
    }

    /// Gives the turn back.
    private func work(_ party: Party, _ body: @escaping @Sendable () throws -> Data) async throws -> Data {
        defer { giveTurn(party) }
        let start = ContinuousClock.now
        let data = try await runBlocking { try body() }
        state.withLock { $0.workTime = start.duration(to: .now) }
        return data
    }

    private func takeTurn(_ party: Party) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let outcome: Result<Void, any Error>? = state.withLock { state in
                if state.begin(party) { return .success(()) }
                guard state.hasRoom(party) else { return .failure(Self.tooMany) }
                state.lines[party].waiting.append(continuation)
                return nil
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }

    private func giveTurn(_ party: Party) {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            state.lines[party].running -= 1
            for party in Party.allCases where !state.lines[party].waiting.isEmpty && state.begin(party) {
                return state.lines[party].waiting.removeFirst()
            }
            return nil
        }
        next?.resume()
    }
}
