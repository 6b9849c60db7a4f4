import Concurrency
import Crypto
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import StructuredData
import Testing
import TodoModel
import TodoStore
import WebhookReceiver

@testable import NotificationService

@Suite(.timeLimit(.minutes(10))) struct WebhookTests {
    private let loopback = AddressPolicy(allowing: [AddressBlock("127.0.0.0/8")].compactMap(\.self))

    private func sender(
        _ policy: AddressPolicy? = nil, _ resolver: any AddressResolver = SystemResolver(),
        over transport: any HTTPTransport = CurlTransport(configuration: .init(proxy: .none))
    ) -> WebhookSender {
        WebhookSender(
            transport: transport, resolver: resolver, policy: policy ?? loopback, now: { .now() },
            timeout: .seconds(60))
    }

    /// Sends what one notice makes, once; what became of it.
    private func send(
        _ home: NotificationDatabase, to url: String, by sender: WebhookSender,
        prepare: (NotificationChannel) async throws -> Void = { _ in }
    ) async throws -> NotificationDelivery {
        let channel = try await home.channel(.webhook, url)
        try await prepare(channel)
        let notice = home.notice(title: "Grüße")
        _ = try await home.store.enqueue([notice], at: home.clock.now)
        _ = try await home.engine([.webhook: sender]).deliverDue()
        let found = try await home.store.deliveries(of: home.ada.id, limit: 100).first {
            $0.reminder == notice.reminder && $0.target == url
        }
        return try #require(found)
    }

    /// From the specification: https://github.com/standard-webhooks/standard-webhooks, "Signature scheme".
    @Test func `the specification's example`() {
        let secret = Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").map(Array.init) ?? []
        let signature = StandardWebhook.signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8),
            secrets: [secret])
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `a webhook is signed with every secret in force, and somebody else's library takes it`() async throws {
        try await WebhookReceiver.with { receiver in
            try await NotificationDatabase.with { home in
                let old = StandardWebhook.text(ofSecret: [UInt8](repeating: 7, count: 32))
                let new = StandardWebhook.makeSecret()
                let delivery = try await send(home, to: "http://127.0.0.1:\(receiver.port)/hook?a=b", by: sender()) {
                    try await home.store.rotate(
                        $0.id, to: new, formerUntil: home.clock.now + .seconds(60), of: home.ada.id)
                }
                #expect(delivery.state == .delivered && delivery.attempts == 1 && delivery.lastError == nil)
                let hook = try #require(receiver.received.first)
                #expect(hook.id == delivery.id.text && hook.path == "/hook")
                #expect(hook.json["type"] == "reminder.fired")
                #expect(hook.json.at("data", "task", "title") == "Grüße")
                #expect(hook.signature.split(separator: " ").count == 2)
                let secrets = [old, StandardWebhook.text(ofSecret: new)]
                for secret in secrets {
                    // Where the library is not installed, the specification's example above stands alone.
                    guard let isTaken = try await IndependentVerifier.accepts(hook, secret: secret) else { continue }
                    #expect(isTaken)
                    var changed = hook
                    changed.body[changed.body.count - 2] ^= 1
                    #expect(try await IndependentVerifier.accepts(changed, secret: secret) == false)
                    let other = StandardWebhook.text(ofSecret: StandardWebhook.makeSecret())
                    #expect(try await IndependentVerifier.accepts(hook, secret: other) == false)
                }
                home.clock.advance(.seconds(61))
                let rest = try await home.store.secrets(
                    try #require(delivery.channel), of: home.ada.id, at: home.clock.now)
                #expect(rest == .init(current: new), "the former one's time is over")
            }
        }
    }

    private static let answers: [(HTTPResponse.Status, HTTPFields, String)] = [
        (.ok, [:], "delivered"), (.accepted, [:], "delivered"),
        (.found, [.location: "http://127.0.0.1:1/"], "pending"), (.badRequest, [:], "pending"),
        (.unauthorized, [:], "pending"), (.tooManyRequests, [.retryAfter: "1200"], "pending"),
        (.internalServerError, [:], "pending"), (.gone, [:], "dead"),
    ]

    @Test(arguments: answers)
    func `what a receiver answers decides`(_ status: HTTPResponse.Status, _ headers: HTTPFields, _ state: String)
        async throws
    {
        try await WebhookReceiver.with { receiver in
            receiver.answer(status, headers)
            try await NotificationDatabase.with { home in
                let delivery = try await send(home, to: "http://127.0.0.1:\(receiver.port)/", by: sender())
                #expect(delivery.state.rawValue == state && receiver.received.count == 1, "\(delivery.lastError ?? "")")
                if state != "delivered" { #expect(delivery.lastError?.contains("\(status.code)") == true) }
                if status == .tooManyRequests {
                    #expect(try #require(delivery.nextAttempt) - home.clock.now == .seconds(1200))
                }
            }
        }
    }

    /// The name stands for a public address when the channel is made, and for loopback when it is used.
    @Test func `an address that became a private one is not sent to`() async throws {
        struct Rebinding: AddressResolver {
            let answer: String
            func addresses(of host: String) async throws -> [IPAddress] { [IPAddress(answer)].compactMap(\.self) }
        }
        try await WebhookReceiver.with { receiver in
            try await NotificationDatabase.with { home in
                let url = "https://rebind.example:\(receiver.port)/"
                _ = try await WebhookTarget(url).addresses(Rebinding(answer: "1.1.1.1"), AddressPolicy())
                let delivery = try await send(
                    home, to: url, by: sender(AddressPolicy(), Rebinding(answer: "127.0.0.1")))
                #expect(delivery.state == .dead && delivery.lastError?.contains("no public address") == true)
                #expect(receiver.received.isEmpty)
            }
        }
    }

    @Test func `a host that is not there, or hides for now, is tried again`() async throws {
        struct Away: AddressResolver {
            func addresses(of host: String) async throws -> [IPAddress] { throw ResolutionError(description: "no DNS") }
        }
        try await NotificationDatabase.with { home in
            let away = try await send(home, to: "https://a.example/", by: sender(nil, Away()))
            #expect(away.state == .pending && away.lastError?.contains("no DNS") == true)
            let refused = try await send(home, to: "http://127.0.0.1:1/", by: sender())
            #expect(refused.state == .pending && refused.lastError?.contains("127.0.0.1:1") == true)
        }
    }

    private static let timeouts: [(HTTPTransportError.Timeout, NotificationDelivery.State, [String])] = [
        (.connect, .delivered, ["127.0.0.1", "127.0.0.2"]), (.idle, .pending, ["127.0.0.1"]),
    ]

    /// Only where there was no connection nothing can have been sent.
    @Test(arguments: timeouts) func `a host whose first address lets nobody in is tried at its next`(
        _ timeout: HTTPTransportError.Timeout, _ state: NotificationDelivery.State, _ tried: [String]
    ) async throws {
        struct Twofold: AddressResolver {
            func addresses(of host: String) async throws -> [IPAddress] {
                ["127.0.0.1", "127.0.0.2"].compactMap { IPAddress($0) }
            }
        }
        let asked = Lock<[String]>([])
        let transport = InMemoryTransport { request in
            asked.withLock { $0.append(request.address ?? "") }
            guard request.address == "127.0.0.2" else { throw HTTPTransportError.timeout(timeout) }
            return ClientResponse(status: .ok, body: ResponseBody { () in nil })
        }
        try await NotificationDatabase.with { home in
            let delivery = try await send(home, to: "https://a.example/", by: sender(nil, Twofold(), over: transport))
            #expect(delivery.state == state && delivery.attempts == 1, "\(delivery.lastError ?? "")")
            #expect(asked.withLock { $0 } == tried)
        }
    }
}
