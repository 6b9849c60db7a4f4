@testable import APIServerKinds
import StructuredData
import Testing

@Suite struct ProtobufTests {
    @Test(arguments: KubectlBody.all)
    func `a body of typed kubectl means what its dry run says`(body: KubectlBody) throws {
        let bytes = try #require(Base64.decode(body.body))
        #expect(try withoutEmpty(ProtobufDecoder.decode(bytes)) == JSON(parsing: body.object))
    }

    @Test(arguments: KubectlBody.all)
    func `a body cut short or changed anywhere never crashes`(body: KubectlBody) throws {
        let bytes = try #require(Base64.decode(body.body))
        for end in 0..<bytes.count { _ = try? ProtobufDecoder.decode(Array(bytes[..<end])) }
        var random = SystemRandomNumberGenerator()
        for place in bytes.indices {
            var changed = bytes
            changed[place] = UInt8.random(in: 0...255, using: &random)
            _ = try? ProtobufDecoder.decode(changed)
        }
    }

    @Test func `a body that is not protobuf is refused`() {
        #expect(throws: ProtobufError.self) { try ProtobufDecoder.decode(Array("{}".utf8)) }
        #expect(throws: ProtobufError.self) { try ProtobufDecoder.decode([]) }
    }

    @Test func `an unknown kind is named`() throws {
        let type: [UInt8] = [0x0A, 0x04] + Array("a/v1".utf8) + [0x12, 0x01] + Array("X".utf8)
        let bytes: [UInt8] = [0x6B, 0x38, 0x73, 0, 0x0A, UInt8(type.count)] + type
        #expect(throws: ProtobufError.unsupportedKind(apiVersion: "a/v1", kind: "X")) {
            try ProtobufDecoder.decode(bytes)
        }
    }

    @Test func `every message that a field refers to has a table`() {
        for (name, message) in MessageTables.messages {
            for field in message.values {
                guard case .message(let other) = field.content, !MessageTables.special.contains(other) else { continue }
                #expect(MessageTables.messages[other] != nil, "\(name).\(field.name)")
            }
        }
        #expect(MessageTables.messages.count > 150)
    }

    /// As `kubectl --dry-run=client` output is compared: without members that hold nothing.
    private func withoutEmpty(_ value: JSON) -> JSON {
        switch value {
        case .object(let members):
            .object(JSONObject(members.map { ($0.key, withoutEmpty($0.value)) }.filter { !$0.1.isEmptyValue }))
        case .array(let elements): .array(elements.map(withoutEmpty))
        default: value
        }
    }
}
