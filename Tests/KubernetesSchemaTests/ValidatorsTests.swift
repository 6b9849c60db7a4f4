import KubernetesSchema
import StructuredData
import Testing

@Suite struct ValidatorsTests {
    @Test(arguments: [
        ("a", true), ("a-b9", true), ("", false), ("-a", false), ("a-", false), ("A", false), ("a.b", false),
        ("a_b", false),
        (String(repeating: "a", count: 63), true), (String(repeating: "a", count: 64), false),
    ])
    func labels(text: String, isValid: Bool) {
        #expect(Validators.dnsLabel(text).isEmpty == isValid)
    }

    @Test func messagesAreThoseOfKubernetes() {
        #expect(
            Validators.dnsSubdomain("Bad_Name") == [
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                    + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            ])
        #expect(Validators.dns1035Label("1a").count == 1)
        #expect(Validators.portNumber(0) == ["must be between 1 and 65535, inclusive"])
        #expect(Validators.portNumber(80).isEmpty)
    }

    @Test(arguments: [
        ("app", true), ("example.com/app", true), ("a/b/c", false), ("/app", false), ("app/", false), ("-x", false),
        ("Example.com/x", false),
    ])
    func qualifiedNames(text: String, isValid: Bool) {
        #expect(Validators.qualifiedName(text).isEmpty == isValid)
    }

    @Test(arguments: [
        ("http", true), ("80", false), ("a--b", false), ("-a", false), ("a-very-long-port-name", false),
        ("HTTP", false),
    ])
    func portNames(text: String, isValid: Bool) {
        #expect(Validators.portName(text).isEmpty == isValid)
    }

    @Test func percentages() {
        #expect(Validators.percentOrNumber("25%").isEmpty)
        #expect(Validators.percentOrNumber(3).isEmpty)
        #expect(!Validators.percentOrNumber("25").isEmpty)
        #expect(!Validators.percentOrNumber(-1).isEmpty)
        #expect(!Validators.percentOrNumber(true).isEmpty)
    }
}
