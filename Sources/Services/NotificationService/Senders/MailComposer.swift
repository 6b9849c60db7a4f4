internal import FoundationEssentials
internal import HTTPTransport
internal import StructuredData
internal import TodoModel

/// Writes the mails: pure.
struct MailComposer: Sendable {
    let from: MailMessage.Mailbox
    let links: Links

    /// Digests name no more tasks than that.
    private static let mostTasks = 50

    func message(for delivery: NotificationDelivery) -> MailMessage {
        let letter = letter(for: delivery)
        let isQuestion = delivery.purpose == .verification
        let end = isQuestion ? nil : delivery.channel.map { links.url(.unsubscribe, of: delivery.user, about: $0) }
        let domain = from.address.split(separator: "@").last.map(String.init) ?? "localhost"
        return MailMessage(
            from: from, to: .init(address: delivery.target), subject: letter.subject,
            date: Int(delivery.created.microsecondsSince1970 / 1_000_000), id: "\(delivery.id.text)@\(domain)",
            text: letter.text(unsubscribe: end), html: letter.html(unsubscribe: end), unsubscribeURL: end)
    }

    private func letter(for delivery: NotificationDelivery) -> Letter {
        switch delivery.purpose {
        case .verification:
            var letter = Letter(subject: "Confirm this address for reminders")
            letter.paragraphs = [
                "Somebody asked to be sent reminders at this address.",
                "If that was you, confirm it by the link below within a day. If not, do nothing: no more mails come.",
            ]
            if let channel = delivery.channel {
                letter.actions = [("Confirm", links.url(.verify, of: delivery.user, about: channel))]
            }
            return letter
        case .test:
            var letter = Letter(subject: "Reminders reach this address")
            letter.paragraphs = ["This is the test that you asked for: reminders reach you here."]
            return letter
        case .reminder: return reminder(delivery)
        }
    }

    private func reminder(_ delivery: NotificationDelivery) -> Letter {
        let data = delivery.content["data"]
        if let digest = data?.at("reminder", "digest")?.array { return self.digest(digest) }
        let task = data?["task"]
        let title = task?["title"]?.string ?? "a task"
        var letter = Letter(subject: title)
        letter.paragraphs = ["Reminder: \(title)"]
        if let due = Self.due(task?["due"]) { letter.paragraphs.append("Due \(due)") }
        if data?.at("reminder", "late")?.bool == true {
            letter.paragraphs.append("This reminder comes late: it could not be sent when it was due.")
        }
        if let description = task?["description"]?.string, !description.isEmpty {
            letter.paragraphs.append(description)
        }
        letter.actions = [
            ("Acknowledge", links.url(.acknowledge, of: delivery.user, about: delivery.reminder)),
            ("Snooze", links.url(.snooze, of: delivery.user, about: delivery.reminder)),
            ("Open", links.page),
        ]
        return letter
    }

    private func digest(_ tasks: [JSON]) -> Letter {
        let count = tasks.count == 1 ? "1 task" : "\(tasks.count) tasks"
        var letter = Letter(subject: "Your digest: \(count)")
        letter.paragraphs = [tasks.isEmpty ? "There is nothing to be done." : "There is to be done:"]
        letter.items = tasks.prefix(Self.mostTasks).map { task in
            (task["title"]?.string ?? "a task") + (Self.due(task["due"]).map { " (due \($0))" } ?? "")
        }
        if tasks.count > Self.mostTasks { letter.items.append("and \(tasks.count - Self.mostTasks) more") }
        letter.actions = [("Open", links.page)]
        return letter
    }

    /// `2026-11-21 at 14:30 (Europe/Berlin)`.
    private static func due(_ due: JSON?) -> String? {
        guard let date = due?["date"]?.string else { return nil }
        let time = due?["time"]?.string.map { " at \($0)" } ?? ""
        let zone = due?["zone"]?.string.map { " (\($0))" } ?? ""
        return date + time + zone
    }
}

/// What a mail says, before it is text or HTML.
private struct Letter {
    var subject: String
    var paragraphs: [String] = []
    var items: [String] = []
    var actions: [(name: String, url: String)] = []

    init(subject: String) { self.subject = subject }

    private static let why = "You get this mail since this address is one of your channels for reminders."

    func text(unsubscribe: String?) -> String {
        var lines = paragraphs.flatMap { [$0, ""] } + items.map { "- \($0)" }
        if !items.isEmpty { lines.append("") }
        lines += actions.flatMap { ["\($0.name): \($0.url)", ""] }
        if let unsubscribe { lines += ["-- ", Self.why, "Unsubscribe: \(unsubscribe)", ""] }
        return lines.joined(separator: "\n")
    }

    func html(unsubscribe: String?) -> String {
        var body = paragraphs.map { "<p>\(HTML.escape($0).replacing("\n", with: "<br>"))</p>" }
        if !items.isEmpty { body.append("<ul>\(items.map { "<li>\(HTML.escape($0))</li>" }.joined())</ul>") }
        body += actions.map { action in
            "<p><a href=\"\(HTML.escape(action.url))\">\(HTML.escape(action.name))</a></p>"
        }
        if let unsubscribe {
            body.append(
                "<hr><p><small>\(Self.why) <a href=\"\(HTML.escape(unsubscribe))\">Unsubscribe</a></small></p>")
        }
        return HTML.page(title: subject, body: body.joined(separator: "\n"))
    }
}
