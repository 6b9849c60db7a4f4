internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import ServiceHTTP
internal import TodoModel
internal import TodoStore

/// The links in mails. GET shows what the link would do and asks; POST does it: programs that look at the links of mails
/// do nothing by that, and one-click unsubscribing (RFC 8058) is the same POST.
struct LinkRoutes: Sendable {
    /// For how many minutes one may snooze.
    private static let snoozes: [(minutes: Int, text: String)] = [
        (10, "10 minutes"), (60, "1 hour"), (180, "3 hours"), (1440, "1 day"),
    ]
    private static let longestSnooze = 7 * 1440
    private static let longestForm = 4096

    let links: Links
    let store: NotificationStore
    let actions: any ReminderActions
    let now: @Sendable () -> Instant

    func add<Context: RequestContext>(to router: Router<Context>) {
        for action in LinkAction.allCases {
            let path = RouterPath("\(Links.path)/\(action.name)")
            router.get(path) { request, _ in
                with(request, action) { claim in Self.page(.ok, Self.question(claim.action, request)) }
            }
            router.post(path) { request, _ in
                let form = try await request.body.collect(upTo: Self.longestForm)
                let claim = claim(request, action)
                guard case .success(let claim) = claim else { return Self.refusal(claim) }
                return try await act(claim, form: String(buffer: form))
            }
        }
    }

    private enum Refusal: Error { case expired, forged }

    private func claim(_ request: Request, _ action: LinkAction) -> Result<LinkClaim, Refusal> {
        switch links.read(request.uri.queryParameters["t"].map(String.init) ?? "") {
        case .valid(let claim) where claim.action == action: .success(claim)
        case .valid, .forged: .failure(.forged)
        case .expired: .failure(.expired)
        }
    }

    private func with(_ request: Request, _ action: LinkAction, _ body: (LinkClaim) -> Response) -> Response {
        let claim = claim(request, action)
        guard case .success(let claim) = claim else { return Self.refusal(claim) }
        return body(claim)
    }

    private func act(_ claim: LinkClaim, form: String) async throws -> Response {
        do {
            switch claim.action {
            case .acknowledge:
                guard try await actions.acknowledge(claim.subject, of: claim.user) else {
                    throw StoreError.notFound
                }
                return Self.page(.ok, "Acknowledged: you will not be reminded of this again.")
            case .snooze:
                let minutes = Self.minutes(form)
                guard let minutes else { return Self.page(.badRequest, "Choose how long to snooze.") }
                guard
                    try await actions.snooze(claim.subject, until: now() + .seconds(60 * minutes), of: claim.user)
                else { throw StoreError.notFound }
                return Self.page(.ok, "Snoozed: you will be reminded again.")
            case .unsubscribe:
                _ = try await store.setPaused(
                    true, because: "unsubscribed by the link in a mail", claim.subject, of: claim.user, at: now())
                return Self.page(.ok, "Unsubscribed: no more reminders are sent to this address.")
            case .verify:
                _ = try await store.verify(claim.subject, of: claim.user, at: now())
                return Self.page(.ok, "Confirmed: reminders may be sent to this address.")
            }
        } catch StoreError.notFound {
            // A channel that is gone gets no more mails, which is what was asked for.
            if claim.action == .unsubscribe { return Self.page(.ok, "Unsubscribed.") }
            return Self.page(.notFound, "There is nothing left to do: it is done already, or it was removed.")
        }
    }

    private static func minutes(_ form: String) -> Int? {
        let value = form.split(separator: "&").first { $0.hasPrefix("minutes=") }?.dropFirst("minutes=".count)
        return value.flatMap { Int($0) }.flatMap { (1...longestSnooze).contains($0) ? $0 : nil }
    }

    // MARK: Pages

    private static func question(_ action: LinkAction, _ request: Request) -> String {
        let target = HTML.escape(request.uri.string)
        func form(_ inner: String) -> String { "<form method=\"post\" action=\"\(target)\">\(inner)</form>" }
        switch action {
        case .acknowledge: return "Do you want to acknowledge this reminder?" + form("<button>Acknowledge</button>")
        case .snooze:
            let buttons = snoozes.map { "<button name=\"minutes\" value=\"\($0.minutes)\">\($0.text)</button>" }
            return "For how long do you want to snooze this reminder?" + form(buttons.joined(separator: " "))
        case .unsubscribe:
            return "Do you want no more reminders at this address?" + form("<button>Unsubscribe</button>")
        case .verify: return "Do you want to get reminders at this address?" + form("<button>Confirm</button>")
        }
    }

    private static func refusal(_ claim: Result<LinkClaim, Refusal>) -> Response {
        if case .failure(.expired) = claim {
            return page(.gone, "This link has expired. Sign in to do what it was for.")
        }
        return page(.badRequest, "This link is not whole. Copy all of it from the mail.")
    }

    /// Nobody may frame it, index it, keep it, or learn the link from it.
    private static func page(_ status: HTTPResponse.Status, _ body: String) -> Response {
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"]
        for (name, value) in [
            (
                "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
            ),
            ("Referrer-Policy", "no-referrer"), ("X-Robots-Tag", "noindex"), ("X-Content-Type-Options", "nosniff"),
        ] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let html = HTML.page(title: "Reminders", body: "<p>\(body)</p>")
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: html)))
    }
}
