@testable import WebhookAddresses

/// A URL, and behind a line's end a block of addresses: nothing leads to an address that is not allowed, however it is
/// spelled.
func checkWebhook(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    let texts = parts.map { String(decoding: $0, as: UTF8.self) }
    if let target = try? WebhookTarget(texts[0]) {
        check(target.url == texts[0] && texts[0].utf8.count <= WebhookTarget.longest, "another URL")
    }
    if let address = IPAddress(texts[0]) {
        check(IPAddress("\(address)") == address, "printed as \(address)")
        check(AddressPolicy().permits(address) == AddressPolicy.isPublic(address), "\(address) needs no permission")
    }
    guard let block = texts.last.flatMap({ AddressBlock($0) }) else { return }
    check(AddressBlock("\(block)") == block, "printed as \(block)")
    for text in [texts[0], "127.0.0.1", "::1", "::ffff:127.0.0.1", "8.8.8.8"] {
        guard let address = IPAddress(text) else { continue }
        let policy = AddressPolicy(allowing: [block])
        check(policy.isNamed(address) == block.contains(address), "\(address) in \(block)")
        check(policy.permits(address) == (block.contains(address) || AddressPolicy.isPublic(address)), "\(address)")
    }
}
