internal import FoundationEssentials
internal import HTTPTransport
internal import HTTPTypes
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// Sends webhooks, to addresses that were checked and no others. Redirects are not followed: they would lead past the
/// check.
struct WebhookSender: ChannelSender {
    private static let connectTimeout: Duration = .seconds(5)
    /// More of an answer is not read.
    private static let longestAnswer = 64 << 10
    /// A host with more addresses is not there for the others.
    private static let mostAddresses = 3

    let transport: any HTTPTransport
    let resolver: any AddressResolver
    let policy: AddressPolicy
    let now: @Sendable () -> Instant
    /// The longest that an attempt may take at one address.
    let timeout: Duration

    func send(_ claimed: ClaimedDelivery) async throws(AttemptFailure) {
        guard let secrets = claimed.secrets else {
            throw AttemptFailure(message: "the channel was removed", isPermanent: true)
        }
        let (target, addresses) = try await address(claimed.delivery.target)
        let request = request(to: target, claimed.delivery, secrets)
        var failure: HTTPTransportError?
        for address in addresses.prefix(Self.mostAddresses) {
            var request = request
            request.address = "\(address)"
            do {
                let response = try await transport.send(request)
                // The connection is kept when the answer was read.
                _ = try? await response.body.collect(upTo: Self.longestAnswer)
                return try Self.judge(response)
            } catch let error as HTTPTransportError {
                failure = error
                guard Self.isUnsent(error) else { break }
            } catch let error as AttemptFailure {
                throw error
            } catch {
                throw AttemptFailure(message: "\(error)")
            }
        }
        let isCancelled = failure == .cancelled || failure == .closed
        throw AttemptFailure(
            message: failure.map { "\($0)" } ?? "there is no address to send to", isCancelled: isCancelled)
    }

    /// Whether there was no connection: then another address may be tried.
    private static func isUnsent(_ error: HTTPTransportError) -> Bool {
        switch error {
        case .connect, .timeout(.connect): true
        default: false
        }
    }

    private func address(_ url: String) async throws(AttemptFailure) -> (WebhookTarget, [IPAddress]) {
        do {
            let target = try WebhookTarget(url)
            return (target, try await target.addresses(resolver, policy))
        } catch let refusal as WebhookTarget.Refusal {
            throw AttemptFailure(message: "the URL \(refusal)", isPermanent: !refusal.isPassing)
        } catch {
            throw AttemptFailure(message: "\(error)", isCancelled: error is CancellationError)
        }
    }

    private func request(
        to target: WebhookTarget, _ delivery: NotificationDelivery, _ secrets: NotificationStore.Secrets
    ) -> ClientRequest {
        let body = delivery.content.encoded()
        let id = delivery.id.text
        let timestamp = now().microsecondsSince1970 / 1_000_000
        let signature = StandardWebhook.signature(
            id: id, timestamp: timestamp, body: body, secrets: [secrets.current] + (secrets.former.map { [$0] } ?? []))
        var headers: HTTPFields = [.contentType: "application/json", .userAgent: "todo-operator"]
        for (name, value) in [
            ("webhook-id", id), ("webhook-timestamp", "\(timestamp)"), ("webhook-signature", signature),
        ] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        // Sent again on a new connection where a kept one turns out closed: it is the same message with the same id.
        return ClientRequest(
            method: .post, url: target.url, headers: headers, body: .bytes(body),
            connectTimeout: Self.connectTimeout, totalTimeout: timeout, isIdempotent: true)
    }

    private static func judge(_ response: ClientResponse) throws(AttemptFailure) {
        let status = response.status
        guard status.kind != .successful else { return }
        var failure = AttemptFailure(message: "the receiver answered \(status.code) \(status.reasonPhrase)")
        switch status.code {
        case 410:
            failure.isPermanent = true
            failure.pausesChannel = "the receiver answered 410 Gone"
        case 300..<400: failure.message += "; redirects are not followed: give the URL that it leads to"
        default:
            // What a stranger asks for is no longer than a day.
            failure.retryAfter = response.headers[.retryAfter].flatMap { Int($0) }
                .map { .seconds(min(max(0, $0), 86_400)) }
        }
        throw failure
    }
}
