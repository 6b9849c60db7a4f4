import Concurrency
import Glibc
import HTTPTransport
import Testing

/// The environment belongs to the whole process, so these run one by one; all other tests use no proxy.
@Suite(.serialized, .timeLimit(.minutes(10))) final class CurlTransportProxyTests {
    private let proxy: RawServer
    private let firstLines = Lock<[String]>([])

    init() throws {
        let firstLines = firstLines
        proxy = try RawServer { connection in
            while let request = connection.readRequest() {
                firstLines.withLock { $0.append(String(request.prefix { $0 != "\r\n" })) }
                if request.hasPrefix("CONNECT") {
                    connection.write("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
                } else {
                    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy")
                }
            }
        }
    }

    deinit {
        proxy.stop()
        for name in ["http_proxy", "HTTPS_PROXY", "NO_PROXY"] { unsetenv(name) }
    }

    @Test func theNamedProxyIsUsedWhateverNO_PROXYSays() async throws {
        setenv("NO_PROXY", "*", 1)
        let transport = CurlTransport(configuration: .init(proxy: .url(proxy.url)))
        let response = try await transport.send(ClientRequest(url: "http://some.invalid/path"))
        #expect(try await text(response) == "proxy")
        #expect(firstLines.withLock { $0 } == ["GET http://some.invalid/path HTTP/1.1"])
    }

    @Test func theEnvironmentsProxyIsUsedButForTheHostsOfNO_PROXY() async throws {
        setenv("http_proxy", proxy.url, 1)
        setenv("NO_PROXY", "direct.invalid,10.0.0.0/8", 1)
        let transport = CurlTransport()
        #expect(try await text(transport.send(ClientRequest(url: "http://some.invalid/"))) == "proxy")
        let direct = await failure { try await transport.send(ClientRequest(url: "http://direct.invalid/")) }
        #expect(direct?.connectMessage?.contains("direct.invalid") == true)
        let none = CurlTransport(configuration: .init(proxy: .none))
        let unproxied = await failure { try await none.send(ClientRequest(url: "http://some.invalid/")) }
        #expect(unproxied?.connectMessage?.contains("some.invalid") == true)
    }

    @Test func aProxyThatRefusesTheTunnelIsAConnectError() async throws {
        setenv("HTTPS_PROXY", proxy.url, 1)
        let error = await failure { try await CurlTransport().send(ClientRequest(url: "https://some.invalid/")) }
        #expect(error?.connectMessage?.contains("407") == true, "\(String(describing: error))")
        #expect(firstLines.withLock { $0 } == ["CONNECT some.invalid:443 HTTP/1.1"])
    }
}
