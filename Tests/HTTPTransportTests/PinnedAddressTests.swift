import HTTPTypes
import Testing

@testable import HTTPTransport

@Suite(.timeLimit(.minutes(10))) struct PinnedAddressTests {
    @Test func `the connection goes to the address, and the host stays the URL's`() async throws {
        let server = try RawServer { connection in
            guard let head = connection.readRequest() else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(head.utf8.count)\r\n\r\n\(head)")
        }
        defer { server.stop() }
        let transport = CurlTransport(configuration: .init(proxy: .none))
        for host in ["hooks.example.com", "127.0.0.2", "[2001:db8::1]"] {
            let response = try await transport.send(
                ClientRequest(url: "http://\(host):\(server.port)/x", totalTimeout: .seconds(60), address: "127.0.0.1"))
            let head = String(decoding: try await response.body.collect(upTo: 10_000), as: UTF8.self)
            #expect(head.contains("Host: \(host):\(server.port)"))
        }
        transport.close()
    }

    @Test func `a kept connection to one address is not used for another`() async throws {
        let server = try RawServer { connection in
            while connection.readRequest() != nil { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
        }
        defer { server.stop() }
        let transport = CurlTransport(configuration: .init(proxy: .none))
        func request(_ address: String?) -> ClientRequest {
            ClientRequest(
                url: "http://localhost:\(server.port)/", connectTimeout: .seconds(60), totalTimeout: .seconds(60),
                address: address)
        }
        for address in ["127.0.0.1", "127.0.0.1", nil] {
            _ = try await transport.send(request(address)).body.collect(upTo: 10)
        }
        #expect(server.connectionCount == 2)
        await #expect(throws: HTTPTransportError.self) { try await transport.send(request("127.0.0.9")) }
        for wrong in ["", "localhost", "127.0.0.1:80", "::1%lo", "[::1]", "1.2.3.4\r\n"] {
            await #expect(throws: HTTPTransportError.self) { try await transport.send(request(wrong)) }
        }
        transport.close()
    }
}
