import CCurl
import CEpoll
import Glibc
import Testing

@testable import HTTPTransport

/// On sockets that are not connected: the kernel reports them as broken at once.
@Suite struct CurlSocketsTests {
    private let epoll = cepoll_create()

    @Test func aSocketThatNobodyWaitsForIsReportedOnceAtMost() throws {
        let sockets = CurlSockets(epoll: epoll)
        let socket = try open(sockets)
        sockets.want(CURL_POLL_IN, of: socket)
        let first = try #require(nextEvent())
        #expect(try #require(sockets.match(first)) == (socket, CURL_CSELECT_IN))

        sockets.want(CURL_POLL_REMOVE, of: socket)
        let second = try #require(nextEvent())
        #expect(sockets.match(second) == nil)
        #expect(nextEvent() == nil)

        sockets.want(CURL_POLL_OUT, of: socket)
        let third = try #require(nextEvent())
        #expect(try #require(sockets.match(third)) == (socket, CURL_CSELECT_OUT))
        close(sockets, socket)
        #expect(nextEvent() == nil)
    }

    @Test func anEventOfAClosedSocketIsNotTakenForItsSuccessors() throws {
        let sockets = CurlSockets(epoll: epoll)
        let old = try open(sockets)
        sockets.want(CURL_POLL_IN, of: old)
        let event = try #require(nextEvent())
        close(sockets, old)
        let fresh = try open(sockets)
        sockets.want(CURL_POLL_IN, of: fresh)
        // As if the kernel had given it the same number, which other tests at the same time may prevent.
        let late = cepoll_ready(token: (event.token & ~0xFFFF_FFFF) | UInt64(fresh), events: event.events)
        #expect(sockets.match(late) == nil)
        #expect(sockets.match(try #require(nextEvent())) != nil)
        close(sockets, fresh)
    }

    private func open(_ sockets: CurlSockets) throws -> CInt {
        var address = curl_sockaddr()
        address.family = AF_INET
        address.socktype = CInt(SOCK_STREAM.rawValue)
        let socket = CurlSockets.onOpen(
            Unmanaged.passUnretained(sockets).toOpaque(), CURLSOCKTYPE_IPCXN, &address)
        return try #require(socket >= 0 ? socket : nil)
    }

    private func close(_ sockets: CurlSockets, _ socket: CInt) {
        _ = CurlSockets.onClose(Unmanaged.passUnretained(sockets).toOpaque(), socket)
    }

    private func nextEvent() -> cepoll_ready? {
        var ready = [cepoll_ready](repeating: cepoll_ready(), count: 64)
        return cepoll_wait(epoll, &ready, 0) > 0 ? ready[0] : nil
    }
}
