import Testing

@testable import HTTPTransport

@Suite struct MailMessageTests {
    private func message(_ configure: (inout MailMessage) -> Void = { _ in }) -> MailMessage {
        var message = MailMessage(
            from: .init(name: "Todo", address: "todo@example.com"), to: .init(address: "ada@example.org"),
            subject: "Water the plants", date: 1_795_289_400, id: "1@example.com", text: "Hello\n",
            html: "<p>Hello</p>",
            unsubscribeURL: "https://todo.example.com/u?t=abc")
        configure(&message)
        return message
    }

    private func encoded(_ configure: (inout MailMessage) -> Void = { _ in }) throws -> String {
        String(decoding: try message(configure).encoded(), as: UTF8.self)
    }

    @Test func `the whole of a message`() throws {
        let expected = """
            From: Todo
             <todo@example.com>
            To: <ada@example.org>
            Subject: Water the plants
            Date: Sat, 21 Nov 2026 19:30:00 +0000
            Message-ID: <1@example.com>
            MIME-Version: 1.0
            Auto-Submitted: auto-generated
            List-Unsubscribe:
             <https://todo.example.com/u?t=abc>
            List-Unsubscribe-Post: List-Unsubscribe=One-Click
            Content-Type: multipart/alternative; boundary="=_part"

            --=_part
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            Hello

            --=_part
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            <p>Hello</p>
            --=_part--

            """
        #expect(
            try encoded() == expected.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        )
    }

    @Test(arguments: [
        ("Grüße", "Subject: =?utf-8?B?R3LDvMOfZQ==?="), ("=?utf-8?Q?x?=", "Subject: =?utf-8?B?PT91dGYtOD9RP3g/PQ==?="),
        ("a\r\nBcc: eve@example.com", "Subject: a  Bcc: eve@example.com"), ("nul\u{0}l", "Subject: nul l"),
        ("", "Subject: "),
    ])
    func `a subject is one line, whatever it holds`(_ subject: String, _ line: String) throws {
        let lines = try encoded { $0.subject = subject }.components("\r\n")
        #expect(lines.contains(line) && !lines.contains { $0.hasPrefix("Bcc") })
    }

    @Test func `long text goes into several encoded words, none of which cuts a character`() throws {
        let subject = String(repeating: "日本語のとても長い題名 ", count: 20)
        let head = try encoded { $0.subject = subject }.components("\r\n\r\n")[0].components("\r\n")
        let start = try #require(head.firstIndex { $0.hasPrefix("Subject: ") })
        let lines = [head[start]] + head[(start + 1)...].prefix { $0.hasPrefix(" ") }
        #expect(lines.count > 5 && lines.allSatisfy { $0.utf8.count <= 76 })
        let words = lines.map { $0.split(separator: "?") }
        let texts = words.map { String(validating: decodedBase64(String($0[3])), as: UTF8.self) }
        #expect(texts.compactMap(\.self).joined() == subject, "each word is whole UTF-8 of its own")
    }

    @Test(arguments: [
        "ada", "@x", "ada@", "a b@x.org", "ada@x.org\r\nBcc: eve@x.org", "ada@x.org>", "<ada@x.org",
        "ada@x.org,eve@x.org",
        "ädä@x.org", "a@b@c", "\"a\"@x.org",
    ])
    func `an address that could mean something else is not sent to`(_ address: String) {
        #expect(!MailMessage.isSendable(address))
        #expect(throws: MailMessage.Invalid.self) { try encoded { $0.to.address = address } }
        #expect(throws: MailMessage.Invalid.self) { try encoded { $0.from.address = address } }
    }

    @Test func `nor is an id or a URL that could`() {
        for text in ["x\r\ny@z", "x y@z", "<x@z>", "", String(repeating: "x", count: 1000) + "@z"] {
            #expect(throws: MailMessage.Invalid.self) { try encoded { $0.id = text } }
            #expect(throws: MailMessage.Invalid.self) { try encoded { $0.unsubscribeURL = text } }
        }
        #expect(throws: MailMessage.Invalid.self) { try encoded { $0.id = "no-at" } }
    }

    @Test func `names are atoms or encoded words`() throws {
        #expect(
            try encoded { $0.from.name = "Ada, the \"Boss\" <x>" }.contains(
                "From: =?utf-8?B?QWRhLCB0aGUgIkJvc3MiIDx4Pg==?=\r\n <todo@"))
        #expect(try encoded { $0.from.name = "" }.hasPrefix("From: <todo@example.com>\r\n"))
    }

    @Test func `bodies come back as they were, in short lines`() throws {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("ab =.\t\né日💥\u{7f}-").map(String.init) + ["\r\n"]
        for _ in 0..<200 {
            let text = (0..<Int.random(in: 0...300, using: &random)).map { _ in alphabet.randomElement() ?? "" }
                .joined()
            let coded = QuotedPrintable.encode(text)
            #expect(coded.utf8.allSatisfy { $0 < 0x7f } && coded.components("\r\n").allSatisfy { $0.utf8.count <= 76 })
            #expect(coded.components("\r\n").allSatisfy { $0.last != " " && $0.last != "\t" })
            #expect(!coded.contains("=_part"))
            #expect(decodedQuotedPrintable(coded) == text.replacing("\r\n", with: "\n"))
        }
    }
}

extension String {
    func components(_ separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}

/// An independent reading of RFC 2045, section 6.7.
func decodedQuotedPrintable(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\r") { continue }
        guard byte == UInt8(ascii: "=") else {
            bytes.append(byte)
            continue
        }
        let pair = Array(rest.prefix(2))
        rest = rest.dropFirst(2)
        if pair != [13, 10] { bytes.append(UInt8(String(decoding: pair, as: UTF8.self), radix: 16) ?? 0) }
    }
    return String(decoding: bytes, as: UTF8.self)
}

func decodedBase64(_ text: String) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var (bits, count, bytes) = (0, 0, [UInt8]())
    for character in text {
        guard let value = digits.firstIndex(of: character) else { continue }
        (bits, count) = (bits << 6 | value, count + 6)
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> count))
        }
    }
    return bytes
}
