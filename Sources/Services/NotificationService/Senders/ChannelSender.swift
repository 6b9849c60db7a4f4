internal import TodoStore

/// Makes one attempt to deliver something by one kind of channel.
protocol ChannelSender: Sendable {
    /// Returns when the receiver has taken it.
    func send(_ claimed: ClaimedDelivery) async throws(AttemptFailure)
}

/// Why an attempt failed, and what follows from that.
struct AttemptFailure: Error, Sendable, Hashable {
    /// Whose fault it looks to be: what counts against the channel or against the server that all channels of the kind
    /// share.
    enum Fault: Sendable, Hashable { case message, channel, server }

    /// For the person who looks at the delivery.
    var message: String
    var fault = Fault.channel
    /// Trying again is no use.
    var isPermanent = false
    /// The receiver wants no more at all, for this reason.
    var pausesChannel: String?
    /// When the receiver wants to be asked again.
    var retryAfter: Duration?
    /// This process was told to stop: nobody knows what became of the attempt.
    var isCancelled = false
}
