internal import HTTPTransport
internal import HTTPTypes
internal import StructuredData

/// Calls the app beside the sidecar.
struct AppChannel: Sendable {
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
    }

    private static let answerLimit = 16 << 20
    private let transport: any HTTPTransport
    private let origin: String
    private let token: String?

    /// Nil for a pod whose app is never called.
    init?(_ pod: SidecarPod, transport: any HTTPTransport) {
        guard let port = pod.appPort else { return nil }
        self.transport = transport
        origin = "http://\(pod.address):\(port)"
        token = pod.appToken
    }

    /// Nil when there was no answer in time.
    ///
    /// An answer is waited for also when the task is cancelled: the app may be working on it.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8] = [], type: String? = nil,
        headers: HTTPFields = [:], timeout: Duration
    ) async -> Answer? {
        var headers = headers
        headers[.daprAPIToken] = token
        headers[.contentType] = type
        let request = ClientRequest(
            method: method, url: origin + (path.hasPrefix("/") ? path : "/\(path)"), headers: headers,
            body: body.isEmpty ? .none : .bytes(body), totalTimeout: timeout,
            // All deliveries are at least once: one on a connection that turned out to be closed is sent again.
            isIdempotent: true)
        return await Task { [transport] in
            guard let response = try? await transport.send(request),
                let body = try? await response.body.collect(upTo: Self.answerLimit)
            else { return nil }
            return Answer(status: response.status.code, body: body)
        }.value
    }
}

extension HTTPField.Name {
    static let daprAPIToken = HTTPField.Name("dapr-api-token") ?? .authorization
}

extension AppChannel.Answer {
    enum Outcome: Sendable, Equatable {
        case done
        /// With the status that asked for it; nil for an answer of the app's own choice.
        case retry(status: Int?)
        /// To the dead letter topic, if there is one.
        case drop
        case forget
    }

    /// What the answer to one event means (contract section 3).
    var outcome: Outcome {
        guard (200..<300).contains(status) else { return status == 404 ? .drop : .retry(status: status) }
        guard !body.isEmpty, let json = try? JSON(parsing: body) else { return .done }
        return Self.outcome(json["status"]?.string, ifMissing: .done)
    }

    /// What the answer to a batch means for each of its entries.
    func outcomes(of ids: [String]) -> [Outcome] {
        guard (200..<300).contains(status) else {
            return ids.map { _ in status == 404 ? .forget : .retry(status: status) }
        }
        var statuses: [String: String] = [:]
        for entry in (try? JSON(parsing: body))?["statuses"]?.array ?? [] {
            if let id = entry["entryId"]?.string { statuses[id] = entry["status"]?.string }
        }
        return ids.map { Self.outcome(statuses[$0], ifMissing: .retry(status: nil)) }
    }

    private static func outcome(_ status: String?, ifMissing missing: Outcome) -> Outcome {
        switch status {
        case nil, "": missing
        case "SUCCESS": .done
        case "DROP": .drop
        default: .retry(status: nil)
        }
    }
}
