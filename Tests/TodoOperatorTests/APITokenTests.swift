import Foundation
import KubernetesClient
import StructuredData
import Testing
import TodoResources

@testable import TodoOperator

@Suite struct APITokenTests {
    func judge(_ data: JSON) throws -> APIToken {
        let app = try TodoApp(validating: DesiredStateTests.minimal)
        return try APIToken(
            KubernetesObject(["metadata": ["name": "todo-api-token", "namespace": "team"], "data": data]), of: app)
    }

    func problem(_ data: JSON) -> String? {
        do {
            _ = try judge(data)
            return nil
        } catch AppObservation.Hindrance.apiToken(let problem) { return problem } catch { return "\(error)" }
    }

    func encoded(_ text: String) -> JSON { ["token": .string(Data(text.utf8).base64EncodedString())] }

    @Test(arguments: ["abcdefghijklmnop", "AZaz09-._~+/AZaz09==", String(repeating: "x", count: 4096)])
    func whatABearerTokenMayBeIsTaken(token: String) throws {
        #expect(try judge(encoded(token)).value == token)
    }

    /// RFC 6750 section 2.1; a line end is what `--from-file` brings along.
    @Test(arguments: [
        "abcdefghijklmnop\n", "abcdefgh ijklmnop", "=abcdefghijklmnop", "abcdefgh=ijklmnop", "================",
        "abcdefghijklmnöp", "abcdefgh\"ijklmnop",
    ])
    func whatItMayNotBeIsRefusedWithoutShowingIt(token: String) throws {
        let problem = try #require(self.problem(encoded(token)))
        #expect(problem.contains("Secret team/todo-api-token has a character"))
        #expect(problem.contains("delete the Secret to get a new random one"))
        #expect(!problem.contains("cdefg"))
    }

    @Test(arguments: ["short", String(repeating: "x", count: 4097)])
    func lengthHasBounds(token: String) throws {
        #expect(problem(encoded(token))?.contains("should have 16 to 4096") == true)
    }

    @Test(arguments: [[:], ["token": ""], ["tokem": "YWJj"]] as [JSON])
    func aMissingOrEmptyKeyIsRefused(data: JSON) {
        #expect(problem(data)?.hasPrefix("the key token of Secret team/todo-api-token is missing or empty") == true)
    }
}
