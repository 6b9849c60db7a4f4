import Testing
import TodoResources

@Suite struct NameRuleTests {
    @Test(arguments: [
        "todo", "todo:2", "localhost/todo", "registry.example:5000/a/b_c:V1.0", "Registry.Example.com/todo",
        "ghcr.io/todo-operator/todo:1@sha256:0123456789abcdef", ProductVersion.image,
    ])
    func anImageIsNamed(_ name: String) { #expect(NameRule.image.fault(in: name) == nil) }

    @Test(arguments: [
        "Todo", "Registry/todo", "ghcr.io/Todo", "to do", "todo:1 ", "todo:", "todo:a:b", "/todo", "a//b",
        "https://a/b", "todo@sha256", String(repeating: "a", count: 513), "",
    ])
    func noImageIsNamed(_ name: String) { #expect(NameRule.image.fault(in: name) != nil) }

    @Test func aFaultSaysWhatIsAllowed() {
        #expect(NameRule.image.fault(in: "Todo")?.contains("in lower case up to its tag") == true)
        #expect(NameRule.namespace.fault(in: "Team")?.contains("lower-case letters, digits and -") == true)
        #expect(NameRule.namespace.fault(in: String(repeating: "a", count: 64)) != nil)
        #expect(NameRule.namespace.fault(in: "team-1") == nil)
    }
}
