internal import HTTPTypes
public import Hummingbird
internal import Logging
internal import NIOCore
internal import StructuredData

/// A path that events are delivered to, and what is done with them.
public struct TopicSubscriber: Sendable {
    /// Called with the events of one delivery, in their order; gives one status for each.
    /// What it throws is logged and answered as RETRY for all of them.
    public typealias Handler = @Sendable ([DeliveredEvent]) async throws -> [DeliveryStatus]

    /// As the subscription names it.
    public let path: String
    public let handler: Handler

    public init(_ path: String, handler: @escaping Handler) {
        self.path = path
        self.handler = handler
    }
}

extension RouterMethods {
    /// Adds `GET /dapr/subscribe`, by which an app subscribes itself. Not where Subscription objects do it: each event
    /// would come twice. With a `token` every call must show it, else the answer is 401.
    public func addDaprSubscriptions(_ subscriptions: [TopicSubscription], token: AppToken?) {
        let answer = JSON.array(subscriptions.map(\.json)).encoded()
        get("/dapr/subscribe") { request, _ in
            guard token?.admits(request.headers) ?? true else { return Response(status: .unauthorized) }
            return Self.json(answer)
        }
    }

    /// Adds the paths of the subscribers.
    ///
    /// With a `token` every call must show it, else the answer is 401. An event that cannot be read is answered with
    /// DROP, for it would not get better; a batch that cannot be read, or is larger than `bodyLimit` bytes, with an
    /// error status, so that it comes again.
    public func addDaprSubscribers(_ subscribers: [TopicSubscriber], token: AppToken?, bodyLimit: Int = 64 << 20) {
        for subscriber in subscribers {
            post(RouterPath(subscriber.path)) { request, context in
                guard token?.admits(request.headers) ?? true else { return Response(status: .unauthorized) }
                let body = try await request.body.collect(upTo: bodyLimit)
                return await Self.take(
                    Array(body.readableBytesView), request.headers, subscriber.handler, context.logger)
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
