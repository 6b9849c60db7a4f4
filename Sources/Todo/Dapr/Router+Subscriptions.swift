internal import HTTPTypes
public import Hummingbird
internal import Logging
internal import NIOCore
internal import StructuredData

/// A subscription and what is done with its events.
public struct TopicSubscriber: Sendable {
    /// Called with the events of one delivery, in their order; gives one status for each.
    /// What it throws is logged and answered as RETRY for all of them.
    public typealias Handler = @Sendable ([DeliveredEvent]) async throws -> [DeliveryStatus]

    public let subscription: TopicSubscription
    public let handler: Handler

    public init(_ subscription: TopicSubscription, handler: @escaping Handler) {
        self.subscription = subscription
        self.handler = handler
    }
}

extension RouterMethods {
    /// Adds `GET /dapr/subscribe` and the paths of the subscriptions.
    ///
    /// With a `token` every call must show it, else the answer is 401. An event that cannot be read is answered with
    /// DROP, for it would not get better; a batch that cannot be read, or is larger than `bodyLimit` bytes, with an
    /// error status, so that it comes again.
    public func addDaprSubscriptions(
        _ subscribers: [TopicSubscriber], token: AppToken?, bodyLimit: Int = 64 << 20
    ) {
        let subscriptions = JSON.array(subscribers.map(\.subscription.json)).encoded()
        get("/dapr/subscribe") { request, _ in
            guard token?.admits(request.headers) ?? true else { return Response(status: .unauthorized) }
            return Self.json(subscriptions)
        }
        for subscriber in subscribers {
            for path in subscriber.subscription.paths {
                post(RouterPath(path)) { request, context in
                    guard token?.admits(request.headers) ?? true else { return Response(status: .unauthorized) }
                    let body = try await request.body.collect(upTo: bodyLimit)
                    return await Self.take(
                        Array(body.readableBytesView), request.headers, subscriber.handler, context.logger)
                }
            }
        }
    }

    private static func take(
        _ body: [UInt8], _ headers: HTTPFields, _ handler: TopicSubscriber.Handler, _ logger: Logger
    ) async -> Response {
        let delivery: Delivery
        do { delivery = try Delivery(body: body, headers: headers) } catch {
            logger.error("an event was dropped", metadata: ["error": "\(error)"])
            return json(JSON(["status": DeliveryStatus.drop.rawValue]).encoded())
        }
        do {
            return json(delivery.answer(try await handler(delivery.events)).encoded())
        } catch {
            logger.warning("events were not taken and come again", metadata: ["error": "\(error)"])
            return json(delivery.answer([]).encoded())
        }
    }

    private static func json(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
