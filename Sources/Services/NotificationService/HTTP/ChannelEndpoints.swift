internal import FoundationEssentials
internal import HTTPTransport
internal import HTTPTypes
internal import ServiceHTTP
internal import StructuredData
internal import TodoModel
internal import TodoStore

/// `/v1/channels`: where a person is reminded.
///
/// Reminders go to an address only when somebody who reads its mail has confirmed it, the account's own one included:
/// whoever signs up may name any address. A webhook proves nothing; what it is sent says nothing to who cannot check the
/// signature.
struct ChannelEndpoints: Sendable {
    private static let path = "/v1/channels"
    /// How long receivers have to learn a new secret.
    private static let secretOverlap: Duration = .seconds(86_400)
    /// So many mails a day one person can have sent to addresses that are not confirmed.
    private static let verificationsPerDay = 10
    private static let testsPerDay = 50
    private static let testLifetime: Duration = .seconds(600)

    let store: NotificationStore
    let links: Links
    let policy: AddressPolicy
    let resolver: any AddressResolver
    let sendsMail: Bool
    let now: @Sendable () -> Instant
    let didEnqueue: @Sendable () -> Void

    var all: [NotificationEndpoint] {
        [
            NotificationEndpoint(
                method: .get, path: Self.path, name: "listChannels", summary: "Where you are reminded.",
                scope: .read, outcome: (.ok, "ChannelList")
            ) { call in
                let channels = try await store.channels(of: call.user)
                return .init(status: .ok, json: ["items": .array(channels.map(\.json))])
            },
            NotificationEndpoint(
                method: .post, path: Self.path, name: "createChannel",
                summary: "Add a webhook, whose secret is told once, or an address, which is sent a link to confirm it.",
                scope: .account, body: "ChannelDraft", outcome: (.created, "NewChannel")
            ) { try await create($0) },
            NotificationEndpoint(
                method: .get, path: "\(Self.path)/{id}", name: "getChannel", summary: "Read a channel.",
                scope: .read, outcome: (.ok, "Channel")
            ) { call in .init(status: .ok, json: try await store.channel(call.id(), of: call.user).json) },
            NotificationEndpoint(
                method: .patch, path: "\(Self.path)/{id}", name: "updateChannel",
                summary: "Pause a channel, or go on with it.", scope: .account, body: "ChannelPatch",
                outcome: (.ok, "Channel")
            ) { call in
                var reader = try MemberReader(call.body, of: "a channel")
                let isPaused = reader.bool("paused")
                if isPaused == nil { reader.fail("paused", "is required: true or false") }
                try reader.finish()
                let channel = try await store.setPaused(isPaused == true, call.id(), of: call.user, at: now())
                return .init(status: .ok, json: channel.json)
            },
            NotificationEndpoint(
                method: .delete, path: "\(Self.path)/{id}", name: "deleteChannel",
                summary: "Remove a channel; what was still to be sent there is not.", scope: .account,
                outcome: (.noContent, nil)
            ) { call in
                try await store.delete(call.id(), of: call.user)
                return .init(status: .noContent)
            },
            NotificationEndpoint(
                method: .post, path: "\(Self.path)/{id}/test", name: "testChannel",
                summary: "Have a test sent; to an address that is not confirmed, the link once more.",
                scope: .account, outcome: (.accepted, "Delivery")
            ) { call in
                let channel = try await store.channel(call.id(), of: call.user)
                return .init(status: .accepted, json: try await send(channel).json)
            },
            NotificationEndpoint(
                method: .post, path: "\(Self.path)/{id}/secret", name: "rotateChannelSecret",
                summary: "A new secret for a webhook; the former one goes on signing, too, for a day.",
                scope: .account, outcome: (.ok, "ChannelSecret")
            ) { try await rotate($0) },
        ]
    }

    private func create(_ call: NotificationEndpoint.Call) async throws -> NotificationEndpoint.Answer {
        var reader = try MemberReader(call.body, of: "a channel")
        let kind = reader.choice("kind", NotificationChannel.Kind.allCases.map { ($0.rawValue, $0) })
        if reader.value("kind") == nil { reader.fail("kind", "is required: webhook or email") }
        var target = kind == .email ? reader.email("target") : reader.line("target", limit: WebhookTarget.longest)
        if reader.value("target") == nil { reader.fail("target", "is required: a URL, or an address") }
        if kind == .email, let address = target, !MailMessage.isSendable(address) {
            reader.fail("target", "must be an address that mail can be sent to")
        }
        if kind == .email, !sendsMail {
            reader.fail("kind", "must be webhook: this installation has no mail server")
        }
        try reader.finish()
        guard let kind, let given = target else { throw Problem.notFound }
        if kind == .webhook { target = try await checkedURL(given) }
        let secret = StandardWebhook.makeSecret()
        let channel = try await store.create(
            kind, target: target ?? given, secret: secret, isVerified: kind == .webhook, of: call.user, at: now())
        var json = channel.json
        if kind == .webhook {
            json["secret"] = .string(StandardWebhook.text(ofSecret: secret))
        } else {
            do { _ = try await send(channel) } catch {
                // A channel that can never be confirmed is none.
                try await store.delete(channel.id, of: call.user)
                throw error
            }
        }
        return .init(status: .created, json: json, location: "\(Self.path)/\(channel.id.text)")
    }

    /// Looked at as it would be now; each attempt looks again.
    private func checkedURL(_ url: String) async throws -> String {
        do {
            let target = try WebhookTarget(url)
            _ = try await target.addresses(resolver, policy)
            return target.url
        } catch let refusal as WebhookTarget.Refusal {
            throw ValidationError([.init("target", refusal.description)])
        }
    }

    private func send(_ channel: NotificationChannel) async throws -> NotificationDelivery {
        let isQuestion = channel.verified == nil
        let content: JSON = [
            "type": isQuestion ? "channel.verification" : "channel.test", "timestamp": JSON(now()),
            "data": ["channel": JSON(channel.id)],
        ]
        let delivery = try await store.enqueue(
            isQuestion ? .verification : .test, to: channel.id, of: channel.user, content: content,
            limit: isQuestion ? Self.verificationsPerDay : Self.testsPerDay,
            lifetime: isQuestion ? LinkAction.verify.lifetime : Self.testLifetime, at: now())
        didEnqueue()
        return delivery
    }

    private func rotate(_ call: NotificationEndpoint.Call) async throws -> NotificationEndpoint.Answer {
        let channel = try await store.channel(call.id(), of: call.user)
        guard channel.kind == .webhook else {
            throw ValidationError([.init("", "only a webhook has a secret")])
        }
        let secret = StandardWebhook.makeSecret()
        let end = now() + Self.secretOverlap
        try await store.rotate(channel.id, to: secret, formerUntil: end, of: call.user)
        return .init(
            status: .ok,
            json: ["secret": .string(StandardWebhook.text(ofSecret: secret)), "formerUntil": JSON(end)])
    }
}
