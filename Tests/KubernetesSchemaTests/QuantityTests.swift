import KubernetesSchema
import Testing

@Suite struct QuantityTests {
    @Test(arguments: [
        ("1", "1"), ("1.5", "1500m"), ("0.1", "100m"), ("1.5Gi", "1536Mi"), ("1024Ki", "1Mi"), ("1000", "1k"),
        ("1000Ki", "1000Ki"),
        ("0", "0"), ("-1.5", "-1500m"), ("1e3", "1e3"), ("1E6", "1e6"), ("100m", "100m"), ("0.5Ki", "512"),
        ("1u", "1u"),
        ("0.0000000001", "1n"), ("+5", "5"), (".5", "500m"), ("5.", "5"),
        ("99999999999999999999", "9223372036854775807"),
        ("123456789M", "123456789M"), ("1Ei", "1Ei"),
    ])
    func printsCanonically(text: String, canonical: String) {
        #expect(Quantity(text)?.canonical == canonical)
        #expect(Quantity(Quantity(text)?.canonical ?? "")?.canonical == canonical)
    }

    @Test(arguments: ["", "x", "1x", "1 k", "--1", "1.2.3", "Ki", "1KI", "1e", "1ee3", "٣"])
    func refusesWhatIsNone(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test func comparesByValue() throws {
        #expect(try #require(Quantity("500m")) == #require(Quantity("0.5")))
        #expect(try #require(Quantity("1G")) < #require(Quantity("1Gi")))
        #expect(Quantity("1500m")?.roundedUp == 2)
    }
}
