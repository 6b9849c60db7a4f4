internal import Concurrency
internal import Crypto
internal import CryptoExtras
internal import FoundationEssentials
internal import ServiceHTTP

/// Makes of passwords what is kept, by scrypt (RFC 7914) with 32 MiB and some 100 ms of a core each; only so many at a
/// time, and so many that wait, so that guessing cannot take the machine away from everybody else.
final class PasswordHasher: Sendable {
    private struct State {
        var running = 0
        var waiting: [CheckedContinuation<Void, any Error>] = []
    }

    private static let (blockSize, parallelism, length) = (8, 1, 32)
    private static let mostAtOnce = 2
    private static let mostWaiting = 32

    private let cost: Int
    private let state = Lock(State())

    /// - Parameter cost: scrypt's N, a power of two.
    init(cost: Int) { self.cost = cost }

    /// `scrypt$32768$8$1$SALT$KEY`, in base64. Throws 503 when too many wait.
    func hash(_ password: String) async throws -> String {
        let salt = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
        let key = try await derive(password, salt, cost, Self.blockSize, Self.parallelism)
        return "scrypt$\(cost)$\(Self.blockSize)$\(Self.parallelism)$"
            + "\(salt.base64EncodedString())$\(key.base64EncodedString())"
    }

    /// Whether `stored` was made of the password. Without one it takes as long, so that nobody learns who has an account.
    func verify(_ password: String, against stored: String?) async throws -> Bool {
        let parts = (stored ?? "").split(separator: "$").map(String.init)
        guard parts.count == 6, parts[0] == "scrypt", let storedCost = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Data(base64Encoded: parts[4]),
            let key = Data(base64Encoded: parts[5])
        else {
            _ = try await derive(password, Data(count: 16), cost, Self.blockSize, Self.parallelism)
            return false
        }
        let derived = try await derive(password, salt, storedCost, blockSize, parallelism)
        return SHA256.hash(data: derived) == SHA256.hash(data: key)
    }

    private func derive(
        _ password: String, _ salt: Data, _ cost: Int, _ blockSize: Int, _ parallelism: Int
    ) async throws -> Data {
        try await takeTurn()
        defer { giveTurn() }
        return try await runBlocking {
            try KDF.Scrypt.deriveKey(
                from: Array(password.utf8), salt: salt, outputByteCount: Self.length, rounds: cost,
                blockSize: blockSize, parallelism: parallelism
            ).withUnsafeBytes { Data($0) }
        }
    }

    private func takeTurn() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let outcome: Result<Void, any Error>? = state.withLock { state in
                if state.running < Self.mostAtOnce {
                    state.running += 1
                    return .success(())
                }
                guard state.waiting.count < Self.mostWaiting else {
                    return .failure(Problem.unavailable("too many people sign in right now; try again"))
                }
                state.waiting.append(continuation)
                return nil
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }

    private func giveTurn() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
