import Concurrency
import Foundation
import HTTPTransport
import HTTPTypes
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) final class CurlTransportNginxTests {
    private let nginx: NginxServer
    private let certificates: TestCertificates

    init() async throws {
        certificates = try TestCertificates.shared.get()
        nginx = try await NginxServer()
    }

    deinit { nginx.stop() }

    private func transport(
        _ tls: CurlTransport.TLS? = nil, offersHTTP2: Bool = true, decompresses: Bool = false
    ) -> CurlTransport {
        CurlTransport(
            configuration: .init(
                tls: tls ?? .init(trust: .authorities(pem: certificates.authority)), proxy: .none,
                offersHTTP2: offersHTTP2, decompressesResponses: decompresses))
    }

    // MARK: TLS

    @Test func aServerOfTheGivenAuthorityIsTrustedAndHTTP2IsChosen() async throws {
        let response = try await transport().send(ClientRequest(url: nginx.tlsURL + "/about"))
        #expect(try await text(response).hasPrefix("HTTP/2.0 127.0.0.1:\(nginx.tlsPort)"))
        let old = try await transport(offersHTTP2: false).send(ClientRequest(url: nginx.tlsURL + "/about"))
        #expect(try await text(old).hasPrefix("HTTP/1.1 "))
    }

    @Test func aServerOfAnotherAuthorityIsATLSErrorThatNamesTheHost() async throws {
        for trust in [CurlTransport.TLS.Trust.authorities(pem: certificates.otherAuthority), .system] {
            let error = await failure {
                try await transport(.init(trust: trust)).send(ClientRequest(url: nginx.tlsURL + "/about"))
            }
            let message = try #require(error?.tlsMessage, "\(String(describing: error))")
            #expect(message.contains("127.0.0.1:\(nginx.tlsPort)") && message.contains("certificate authority"))
        }
    }

    @Test func anAuthorityThatIsNotPEMIsATLSError() async throws {
        let garbage = CurlTransport.TLS(trust: .authorities(pem: [UInt8]("nonsense".utf8)))
        let error = await failure {
            try await transport(garbage).send(ClientRequest(url: nginx.tlsURL + "/about"))
        }
        #expect(error?.tlsMessage != nil, "\(String(describing: error))")
    }

    @Test func anyoneIsTrustedWhenToldSo() async throws {
        let response = try await transport(.init(trust: .anyone)).send(ClientRequest(url: nginx.tlsURL + "/about"))
        #expect(response.status == .ok)
    }

    @Test func theTLSServerNameIsAskedForAndCheckedWhileTheHostHeaderStays() async throws {
        let trust = CurlTransport.TLS.Trust.authorities(pem: certificates.authority)
        let named = transport(.init(trust: trust, serverName: "kube.internal"))
        let response = try await named.send(ClientRequest(url: nginx.tlsURL + "/about"))
        #expect(try await text(response) == "HTTP/2.0 127.0.0.1:\(nginx.tlsPort) kube.internal ")
        let misnamed = transport(.init(trust: trust, serverName: "other.internal"))
        let error = await failure {
            try await misnamed.send(ClientRequest(url: nginx.tlsURL + "/about"))
        }
        #expect(error?.tlsMessage != nil, "\(String(describing: error))")
    }

    @Test func aClientCertificateFromMemoryIsShown() async throws {
        let trust = CurlTransport.TLS.Trust.authorities(pem: certificates.authority)
        let known = CurlTransport.TLS(
            trust: trust,
            clientCertificate: .init(chainPEM: certificates.client, keyPEM: certificates.clientKey))
        let response = try await transport(known).send(ClientRequest(url: nginx.mutualURL + "/about"))
        #expect(try await text(response).hasSuffix("CN=client"))
        let unknown = try await transport().send(ClientRequest(url: nginx.mutualURL + "/about"))
        #expect(unknown.status == .badRequest)
    }

    @Test func aClientCertificateWithTheWrongKeyIsATLSError() async throws {
        let mixed = CurlTransport.TLS(
            trust: .authorities(pem: certificates.authority),
            clientCertificate: .init(chainPEM: certificates.client, keyPEM: certificates.serverKey))
        let error = await failure {
            try await transport(mixed).send(ClientRequest(url: nginx.mutualURL + "/about"))
        }
        #expect(error?.tlsMessage?.contains("belong together") == true, "\(String(describing: error))")
    }

    // MARK: HTTP/2

    @Test func ahundredOpenStreamsShareOneConnection() async throws {
        let (transport, url) = (transport(), nginx.tlsURL)
        _ = try await text(transport.send(ClientRequest(url: url + "/about")))
        var open: [ClientResponse] = []
        try await withThrowingTaskGroup(of: ClientResponse.self) { group in
            for _ in 0..<100 {
                group.addTask { try await transport.send(ClientRequest(url: url + "/middle")) }
            }
            for try await response in group { open.append(response) }
        }
        #expect(Set(open.map { $0.headers[.connectionNumber] }).count == 1)
        for response in open {
            #expect(try await response.body.collect(upTo: 1_000_000).count == 400_000)
        }
    }

    @Test func cancelledStreamsLeaveTheOthersOfTheirConnectionAlone() async throws {
        let (transport, url) = (transport(), nginx.tlsURL)
        let bystander = try await transport.send(ClientRequest(url: url + "/big"))
        for _ in 0..<4 {  // 100 at once are the most that share a connection
            await withTaskGroup(of: HTTPTransportError?.self) { group in
                for index in 0..<50 {
                    group.addTask {
                        await cancelledRead(transport, url + "/big", beforeTheHead: index.isMultiple(of: 2))
                    }
                }
                for await error in group { #expect(error == .cancelled) }
            }
        }
        let after = try await transport.send(ClientRequest(url: url + "/about"))
        #expect(after.status == .ok)
        #expect(after.headers[.connectionNumber] == bystander.headers[.connectionNumber])
        #expect(try await bystander.body.reduce(0) { $0 + $1.count } == 200_000_000)
    }

    @Test func anUnreadStreamTakesLittleMemoryAndHoldsUpNoOther() async throws {
        let transport = transport()
        let before = try nginx.bytesRead()
        let big = try await transport.send(ClientRequest(url: nginx.tlsURL + "/big"))
        for _ in 0..<100 {
            let small = try await transport.send(ClientRequest(url: nginx.tlsURL + "/about"))
            #expect(try await text(small).isEmpty == false)
        }
        #expect(try nginx.bytesRead() - before < 64_000_000)
        var count = 0
        for try await chunk in big.body { count += chunk.count }
        #expect(count == 200_000_000)
    }

    @Test func aConnectionThatFellSilentIsNotUsedAgain() async throws {
        let (transport, url) = (transport(), nginx.tlsURL + "/about")
        let before = try await transport.send(ClientRequest(url: url))
        _ = try await text(before)
        nginx.freeze()
        await #expect(throws: HTTPTransportError.timeout(.idle)) {
            try await transport.send(ClientRequest(url: url, idleTimeout: .milliseconds(100)))
        }
        // A new connection is tried, which nobody takes.
        await #expect(throws: HTTPTransportError.timeout(.connect)) {
            try await transport.send(ClientRequest(url: url, connectTimeout: .milliseconds(100)))
        }
        nginx.thaw()
        let after = try await transport.send(ClientRequest(url: url))
        #expect(after.headers[.connectionNumber] != before.headers[.connectionNumber])
    }

    /// As the renewal of a lease is, while watches of the same connection have nothing to tell.
    @Test func aConnectionThatWasSilentWhileARequestWasGivenUpIsNotUsedAgain() async throws {
        let silent = try RawServer { $0.waitForEnd() }
        defer { silent.stop() }
        let (transport, url) = (transport(), nginx.tlsURL)
        let before = try await transport.send(ClientRequest(url: url + "/about"))
        _ = try await text(before)
        let watch = Task { try await transport.send(ClientRequest(url: url + "/silent?port=\(silent.port)")) }
        defer { watch.cancel() }
        nginx.freeze()
        let isSent = Flag()
        let renewal = Task {
            isSent.raise()
            return try await transport.send(ClientRequest(method: .put, url: url + "/about"))
        }
        await isSent.wait()
        try await Task.sleep(for: .seconds(5))  // the kernel counts the silence, by its own clock
        renewal.cancel()
        await #expect(throws: HTTPTransportError.cancelled) { try await renewal.value }
        // A new connection is tried, which nobody takes.
        await #expect(throws: HTTPTransportError.timeout(.connect)) {
            try await transport.send(ClientRequest(url: url + "/about", connectTimeout: .milliseconds(100)))
        }
        nginx.thaw()
        let after = try await transport.send(ClientRequest(url: url + "/about"))
        #expect(after.headers[.connectionNumber] != before.headers[.connectionNumber])
    }

    @Test func aRequestThatWasGivenUpLeavesAConnectionAloneThatAnsweredOthersMeanwhile() async throws {
        let silent = try RawServer { $0.waitForEnd() }
        defer { silent.stop() }
        let talkative = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\n\r\n")
            while connection.write("still here\n") { Thread.sleep(forTimeInterval: 0.1) }
        }
        defer { talkative.stop() }
        let (transport, url) = (transport(), nginx.tlsURL)
        let other = try await transport.send(ClientRequest(url: url + "/silent?port=\(talkative.port)"))
        let reader = Task { for try await _ in other.body {} }
        defer { reader.cancel() }
        await #expect(throws: HTTPTransportError.timeout(.total)) {
            try await transport.send(
                ClientRequest(url: url + "/silent?port=\(silent.port)", totalTimeout: .seconds(4)))
        }
        let after = try await transport.send(ClientRequest(url: url + "/about"))
        #expect(after.headers[.connectionNumber] == other.headers[.connectionNumber])
    }

    @Test func oneSilentStreamLeavesTheOthersOfItsConnectionAlone() async throws {
        let silent = try RawServer { $0.waitForEnd() }
        defer { silent.stop() }
        let (transport, url) = (transport(), nginx.tlsURL)
        let bystander = try await transport.send(ClientRequest(url: url + "/big"))
        await #expect(throws: HTTPTransportError.timeout(.idle)) {
            try await transport.send(
                ClientRequest(url: url + "/silent?port=\(silent.port)", idleTimeout: .seconds(1)))
        }
        let after = try await transport.send(ClientRequest(url: url + "/about"))
        #expect(after.headers[.connectionNumber] == bystander.headers[.connectionNumber])
        #expect(try await bystander.body.reduce(0) { $0 + $1.count } == 200_000_000)
    }

    // MARK: Bodies

    @Test func aLargeRequestBodyArrivesWhole() async throws {
        let body = ClientRequest.Body.bytes([UInt8](repeating: 7, count: 20_000_000))
        for url in [nginx.plainURL, nginx.tlsURL] {
            let response = try await transport().send(
                ClientRequest(method: .put, url: url + "/echo", body: body, idleTimeout: .seconds(20)))
            #expect(try await text(response) == "20000000")
        }
    }

    @Test func compressionIsAskedForOnlyWhenWanted() async throws {
        let plain = try await transport().send(ClientRequest(url: nginx.plainURL + "/middle"))
        #expect(plain.headers[.contentEncoding] == nil)
        #expect(try await plain.body.collect(upTo: 1_000_000).count == 400_000)
        let packed = try await transport(decompresses: true).send(ClientRequest(url: nginx.plainURL + "/middle"))
        #expect(packed.headers[.contentEncoding] == "gzip")
        #expect(try await packed.body.collect(upTo: 1_000_000).count == 400_000)
    }
}

extension HTTPField.Name {
    /// nginx's number of the connection that a request came on.
    fileprivate static let connectionNumber = HTTPField.Name("X-Connection") ?? .server
}

/// What a request ends with whose task is cancelled at once or after the first chunk.
private func cancelledRead(
    _ transport: CurlTransport, _ url: String, beforeTheHead: Bool
) async -> HTTPTransportError? {
    let reader = Task {
        let response = try await transport.send(ClientRequest(url: url))
        for try await _ in response.body { withUnsafeCurrentTask { $0?.cancel() } }
    }
    if beforeTheHead { reader.cancel() }
    return await failure { try await reader.value }
}
