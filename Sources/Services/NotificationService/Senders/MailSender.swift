internal import HTTPTransport
internal import TodoStore

/// Sends mails.
struct MailSender: ChannelSender {
    let transport: SMTPTransport
    let composer: MailComposer

    func send(_ claimed: ClaimedDelivery) async throws(AttemptFailure) {
        do {
            try await transport.send(composer.message(for: claimed.delivery))
        } catch {
            var failure = AttemptFailure(message: "\(error)", fault: .channel, isPermanent: error.isPermanent)
            if error.isAboutServer { failure.fault = .server }
            if case .invalidMessage = error { failure.fault = .message }
            failure.isCancelled = error == .transport(.cancelled) || error == .transport(.closed)
            throw failure
        }
    }
}
