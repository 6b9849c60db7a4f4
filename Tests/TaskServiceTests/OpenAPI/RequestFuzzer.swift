import HTTPTypes
import StructuredData

/// Makes requests that are nearly right: operations of the document, with ids, parameters and bodies that somebody bent.
struct RequestFuzzer {
    struct Request {
        let method: HTTPRequest.Method
        let path: String
        let body: [UInt8]?
        let extra: [(String, String)]

        func headers(_ token: String) -> HTTPFields {
            var headers: HTTPFields = [.authorization: "Bearer \(token)"]
            if body != nil { headers[.contentType] = "application/json" }
            for (name, value) in extra { if let name = HTTPField.Name(name) { headers[name] = value } }
            return headers
        }
    }

    private static let texts = [
        "", "x", "0", "-1", "9223372036854775808", "null", "true", "💥", "%", "%00", "%ff", "%C0%80", "..", "../..", "'",
        "\"",
        ";--", "${x}", "<script>", "due:today", "(", "sort:due", "a b", "2026-02-30", "Europe/Berlin", "é", "+", "&",
        "=",
        "00000000-0000-0000-0000-000000000000", "\\", "*", "W/\"1\"", "\"1\"", "infinity", "open", "done", "urgent",
    ]

    private static let expensive: Set<String> = ["signUp", "signIn", "updateMe"]

    private var state: UInt64
    private let operations: [ServedDocument.Operation]
    private let document: ServedDocument
    private let things: Belongings

    init(seed: UInt64, document: ServedDocument, things: Belongings) {
        state = seed
        self.document = document
        self.things = things
        // What ends the session that the others work with is tested by itself.
        operations = document.operations.filter { !["eraseMe", "signOut"].contains($0.name) }
    }

    mutating func next() -> Request {
        var operation = pick(operations)
        // Each costs a hash, or has everybody looked up anew.
        if Self.expensive.contains(operation.name), !chance(4) { operation = pick(operations) }
        var path = things.path(operation)
        if chance(3) { path = operation.path.replacing(/\{[a-z]+\}/, with: encoded(text())) }
        let names = (operation.json["parameters"]?.array ?? []).filter { $0["in"] == "query" }.compactMap {
            $0["name"]?.string
        }
        let pairs = (names + ["x"]).filter { _ in chance(2) }.map { "\($0)=\(encoded(text()))" }
        if !pairs.isEmpty { path += "?" + pairs.joined(separator: "&") }
        var body = operation.bodySchema.map { bent(things.body(operation) ?? [:], $0).encoded() }
        if chance(8), var bytes = body, !bytes.isEmpty {
            for _ in 0..<int(1, 3) { bytes[int(0, bytes.count - 1)] = UInt8(int(0, 255)) }
            body = bytes
        }
        var extra: [(String, String)] = []
        for name in ["If-Match", "If-None-Match", "Idempotency-Key", "Accept-Encoding"] where chance(6) {
            extra.append((name, String(text().unicodeScalars.filter { $0.value > 32 && $0.value < 127 })))
        }
        let method =
            chance(10) ? pick([.get, .post, .patch, .delete, .put]) : HTTPRequest.Method(operation.method) ?? .get
        return Request(method: method, path: path, body: method == .get ? nil : body, extra: extra)
    }

    /// A good body with some members changed, left out, or added.
    private mutating func bent(_ good: JSON, _ schema: JSON) -> JSON {
        var body = good
        for name in document.validator.resolve(schema)["properties"]?.object?.keys ?? [] where chance(4) {
            body[name] = chance(8) ? Optional.none : .some(value(depth: 2))
        }
        return chance(20) ? value(depth: 3) : body
    }

    private mutating func value(depth: Int) -> JSON {
        switch int(0, depth > 0 ? 9 : 6) {
        case 0: .null
        case 1: .bool(chance(2))
        case 2: .number(JSONNumber(pick([0, 1, -1, 400, .max, .min])))
        case 3: .string(String(repeating: text(), count: chance(20) ? 3000 : 1))
        case 4: .string(pick([things.task, things.project, things.member, things.filter]))
        case 5, 6: .string(text())
        case 7: .array((0..<int(0, 3)).map { _ in value(depth: depth - 1) })
        default:
            .object(
                JSONObject(
                    (0..<int(0, 3)).map { _ in
                        (
                            key: pick(["date", "time", "zone", "op", "id", "title", text()]),
                            value: value(depth: depth - 1)
                        )
                    }))
        }
    }

    private mutating func text() -> String { pick(Self.texts) }

    /// Mostly percent-encoded; what libcurl would not send always is.
    private mutating func encoded(_ text: String) -> String {
        let isRaw = chance(3)
        return text.utf8.map { byte in
            let isPlain = byte > 0x20 && byte < 0x7f && !"\"<>\\^`{}|#&?/ ".utf8.contains(byte)
            guard isPlain, isRaw || byte != UInt8(ascii: "%") else {
                return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            return String(UnicodeScalar(byte))
        }.joined()
    }

    private mutating func chance(_ times: Int) -> Bool { int(1, times) == 1 }
    private mutating func pick<Value>(_ values: [Value]) -> Value { values[int(0, values.count - 1)] }
    private mutating func int(_ low: Int, _ high: Int) -> Int { low + Int(random() % UInt64(high - low + 1)) }

    /// SplitMix64: the same seed makes the same requests.
    private mutating func random() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
