import StructuredData
import Testing
import TopicLog

@testable import DaprSidecar

@Suite struct EnvelopeTests {
    private static let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func event(_ text: String, parent: String? = nil) throws -> String {
        let envelope = Envelope(source: "app", pubsub: "p", topic: "t", trace: TraceContext(parent: parent))
        let message = try envelope.message(
            Array(text.utf8), contentType: "application/cloudevents+json", metadata: [:])
        return String(decoding: message.value, as: UTF8.self)
    }

    @Test func `of members with one name all readers see the last`() throws {
        let text = try event(#"{"id":"1","data":{"id":"a","id":"b"},"type":"x","i\u0064":"2","é":1,"e\#u{301}":2}"#)
        #expect(try JSON(parsing: Array(text.utf8))["id"] == "2")
        #expect(text.hasPrefix(#"{"data":{"id":"a","id":"b"},"type":"x","id":"2","é":1,"e\#u{301}":2,"#), "\(text)")
    }

    @Test func `an event goes on with the trace of its request`() throws {
        let steps = try (0..<2).map { _ in
            try JSON(parsing: Array(event("{}", parent: Self.parent).utf8))["traceparent"]?.string ?? ""
        }
        for step in steps {
            #expect(step.wholeMatch(of: /00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01/) != nil, "\(step)")
        }
        #expect(Set(steps + [Self.parent]).count == 3)
    }

    @Test(arguments: [
        "", "x", "00", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
    ])
    func `what is no place in a trace begins a new one`(_ parent: String) throws {
        let text = try event("{}", parent: parent)
        let step = try JSON(parsing: Array(text.utf8))["traceparent"]?.string ?? ""
        #expect(step.wholeMatch(of: /00-[0-9a-f]{32}-[0-9a-f]{16}-00/) != nil, "\(step)")
        #expect(!step.contains("0af7651916cd43dd8448eb211c80319c"))
    }
}
