internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import HTTPServing

/// HTTP/1.1 whose requests are answered on the event loop of their connection: they change threads only for the
/// database. On other threads, waking those up costs as much as most requests.
struct EventLoopChannel<Base: ServerChildChannel>: ServerChildChannel where Base.Value == HTTP1Channel.Value {
    let base: Base

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        base.setup(channel: channel, logger: logger)
    }

    func handle(value: Base.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopTaskExecutor(value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}
