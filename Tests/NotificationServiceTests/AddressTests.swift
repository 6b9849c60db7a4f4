import Testing

@testable import NotificationService

@Suite(.timeLimit(.minutes(10))) struct AddressTests {
    @Test(arguments: [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
        "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
        "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1",
    ])
    func `an address that is not public is refused, unless it is named`(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(!AddressPolicy().permits(address))
        #expect(AddressPolicy(allowing: [try #require(AddressBlock(text))]).permits(address))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1",
        "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888", "2400::1",
    ])
    func `a public one is fine`(_ text: String) throws {
        #expect(AddressPolicy().permits(try #require(IPAddress(text))))
    }

    @Test func `blocks are what they say`() throws {
        let block = try #require(AddressBlock("10.32.0.0/11"))
        #expect(block.contains(try #require(IPAddress("10.63.255.255"))))
        #expect(!block.contains(try #require(IPAddress("10.64.0.0"))))
        #expect(!block.contains(try #require(IPAddress("::ffff:10.32.0.1"))))
        #expect(try #require(AddressBlock("::/0")).contains(try #require(IPAddress("fe80::1"))))
        #expect("\(block)" == "10.32.0.0/11")
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1", "host", "fe80::1%eth0"] {
            #expect(AddressBlock(text) == nil, "\(text)")
        }
    }

    private struct Names: AddressResolver {
        var known: [String: [String]]
        func addresses(of host: String) async throws -> [IPAddress] {
            guard let texts = known[host] else { return [] }
            return texts.compactMap { IPAddress($0) }
        }
    }

    private func refusal(
        _ url: String, allowing: [String] = [], _ resolver: any AddressResolver = SystemResolver()
    ) async -> String? {
        do {
            let policy = AddressPolicy(allowing: allowing.compactMap { AddressBlock($0) })
            _ = try await WebhookTarget(url).addresses(resolver, policy)
            return nil
        } catch { return "\(error)" }
    }

    /// Ways to write loopback or to have parsers disagree about the host.
    @Test(arguments: [
        "https://127.0.0.1/", "https://localhost/", "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/",
        "https://127.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/",
        "https://0/", "https://169.254.169.254/latest/meta-data", "https://user@127.0.0.1/",
        "https://1.1.1.1@127.0.0.1/",
        "https://1.1.1.1\\@127.0.0.1/", "https://1.1.1.1 @127.0.0.1/", "https://127.0.0.1#@1.1.1.1/",
        "https://[fe80::1%25lo]/", "https://ⓛocalhost/", "https://1.1.1.1%2f@127.0.0.1/", "http://1.1.1.1/",
        "ftp://1.1.1.1/", "file:///etc/passwd", "gopher://1.1.1.1:25/", "https://", "https:///x", "//1.1.1.1", "",
        "https://1.1.1.1:0/", "https://1.1.1.1:99999/", "https://a b/", "https://exa\u{0}mple.com/",
    ])
    func `a URL that leads elsewhere than to a public host is refused with a reason`(_ url: String) async {
        let why = await refusal(url)
        #expect(why?.isEmpty == false, "\(url) was let through")
    }

    @Test func `of a name's addresses only those that may be are used`() async throws {
        let names = Names(known: ["mixed": ["127.0.0.1", "1.1.1.1", "10.0.0.1"], "inner": ["10.0.0.1"]])
        let target = try WebhookTarget("https://mixed/")
        #expect(try await target.addresses(names, AddressPolicy()).map(\.description) == ["1.1.1.1"])
        let why = await refusal("https://inner/", names)
        #expect(why?.contains("no public address") == true && why?.contains("10.0.0.1") == false)
        #expect(await refusal("https://inner/", allowing: ["10.0.0.0/8"], names) == nil)
        #expect(await refusal("http://inner/", allowing: ["10.0.0.0/8"], names) == nil, "named: it may go unencrypted")
        #expect(await refusal("http://mixed/", names)?.contains("https://") == true)
        #expect(await refusal("https://nowhere/", names)?.contains("nowhere") == true)
    }

    @Test func `the system tells what names stand for`() async throws {
        #expect(try await SystemResolver().addresses(of: "127.0.0.1").map(\.description) == ["127.0.0.1"])
        #expect(try await SystemResolver().addresses(of: "::1").map(\.description) == ["::1"])
        #expect(try await SystemResolver().addresses(of: "localhost").allSatisfy { !AddressPolicy().permits($0) })
    }
}
