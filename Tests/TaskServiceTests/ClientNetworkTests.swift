import HTTPTypes
import Testing

@testable import TaskService

@Suite struct ClientNetworkTests {
    @Test(
        arguments: [
            ([], ""), (["unknown"], ""), ([""], ""), (["203.0.113.9:4711"], ""), (["203.0.113.9"], "203.0.113.9"),
            (["198.51.100.1, 203.0.113.9 "], "203.0.113.9"), (["203.0.113.9", "198.51.100.1"], "198.51.100.1"),
            (["::ffff:203.0.113.9"], "203.0.113.9"),
        ] as [([String], String)])
    func `a network is what the last proxy says`(_ values: [String], _ network: String) throws {
        #expect(try headers(values).clientNetwork == network)
    }

    @Test func `hosts of one IPv6 network are one`() throws {
        let (one, other, elsewhere) = (
            try headers(["2001:db8::1"]), try headers(["2001:DB8:0:0:ffff::2"]), try headers(["2001:db8:0:1::1"])
        )
        #expect(one.clientNetwork == other.clientNetwork && one.clientNetwork != elsewhere.clientNetwork)
        #expect(!one.clientNetwork.isEmpty)
    }

    private func headers(_ values: [String]) throws -> HTTPFields {
        var headers = HTTPFields()
        headers[values: try #require(HTTPField.Name("X-Forwarded-For"))] = values
        return headers
    }
}
