internal import HTTPTransport
internal import HTTPTypes
internal import NIOCore
internal import NIOPosix

/// Asks containers for their health over the network.
struct Prober: Sendable {
    private let transport = CurlTransport(
        configuration: CurlTransport.Configuration(
            tls: CurlTransport.TLS(trust: .anyone), proxy: .none, offersHTTP2: false))

    /// Nil when the container is well, else what Events say after "probe failed: ".
    func failure(of probe: Probe, address: String) async -> String? {
        switch probe.check {
        case .http(let scheme, let host, let port, let path, let headers):
            let url = "\(scheme)://\(host ?? address):\(port)\(path)"
            return await get(url, headers: headers, timeout: probe.timeout)
        case .tcp(let host, let port): return await connect(host ?? address, port, timeout: probe.timeout)
        case .unsupported: return nil
        }
    }

    private func get(_ url: String, headers: [String: String], timeout: Duration) async -> String? {
        var fields: HTTPFields = [.userAgent: "kube-probe/1.36", .accept: "*/*"]
        for (name, value) in headers { if let field = HTTPField.Name(name) { fields[field] = value } }
        do throws(HTTPTransportError) {
            let response = try await transport.send(
                ClientRequest(url: url, headers: fields, connectTimeout: timeout, totalTimeout: timeout))
            let code = response.status.code
            return (200..<400).contains(code) ? nil : "HTTP probe failed with statuscode: \(code)"
        } catch { return "Get \"\(url)\": \(error)" }
    }

    private func connect(_ host: String, _ port: Int, timeout: Duration) async -> String? {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(TimeAmount(timeout)).connect(host: host, port: port).get()
            try? await channel.close()
            return nil
        } catch { return "dial tcp \(host):\(port): \(error)" }
    }
}
