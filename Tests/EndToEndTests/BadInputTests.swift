import Foundation
import StructuredData
import Testing

/// Bad input gets one line that says what to do; nothing crashes, nothing is lost.
@Suite(.loadsProcessors, .inTime) struct BadInputTests {
    static func app(_ spec: String) -> String {
        "apiVersion: todo-operator.dev/v1alpha1\nkind: TodoApp\nmetadata: {name: todo}\nspec: \(spec)\n"
    }

    static let bomb =
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + (1...9).map {
            "\(Character(UnicodeScalar(97 + UInt8($0)))): &\(Character(UnicodeScalar(97 + UInt8($0)))) [\(Array(repeating: "*\(Character(UnicodeScalar(96 + UInt8($0))))", count: 9).joined(separator: ", "))]\n"
        }
        .joined()

    @Test(arguments: [
        ("malformed YAML", "kind: TodoApp\nspec: {database: [\n", "line "),
        ("no object", "", "holds no object"),
        ("another kind", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n", "use TodoApp"),
        (
            "another kind of ours",
            app("{}").replacingOccurrences(of: "TodoApp", with: "TodoAp"),
            "object 1: TodoAp is not a kind that the operator makes objects for"
        ),
        (
            "another version",
            app("{database: {secretRef: {name: db}}}").replacingOccurrences(of: "/v1alpha1", with: "/v2"),
            "object 1: apiVersion: todo-operator.dev/v2 is not todo-operator.dev/v1alpha1"
        ),
        ("unknown field", app("{database: {secretRef: {name: db}}, databse: {}}"), "spec.databse: no such field"),
        ("wrong type", app("{database: {secretRef: {name: db}, poolSize: many}}"), "spec.database.poolSize"),
        ("out of range", app("{database: {secretRef: {name: db}, poolSize: 0}}"), "spec.database.poolSize"),
        ("missing field", app("{}"), "spec.database: Required value"),
        ("alias bomb", bomb, "alias"),
        ("deep JSON", String(repeating: "[", count: 10_000), "line "),
    ])
    func renderSaysWhatIsWrongInOneLine(what: String, text: String, message: String) async throws {
        let result = try await Command.run(Command.todo, ["render", "-f", "-"], input: text)
        #expect(result.status == 1, "\(what): \(result)")
        #expect(result.err.split(separator: "\n").count == 1 && result.err.contains(message), "\(what): \(result)")
    }

    @Test func renderTakesWhatKubectlGetPrints() async throws {
        let apps = ["one", "two"].map { name in
            "{apiVersion: todo-operator.dev/v1alpha1, kind: TodoApp, metadata: {name: \(name)}, "
                + "spec: {database: {secretRef: {name: db}}}}"
        }
        let list = try await Command.run(
            Command.todo, ["render", "-f", "-"],
            input: "apiVersion: v1\nkind: List\nitems: [\(apps.joined(separator: ", "))]\n")
        let documents = try await Command.run(
            Command.todo, ["render", "-f", "-"], input: apps.joined(separator: "\n---\n"))
        #expect(list.status == 0 && list.out == documents.out && list.out.contains("name: two-api"), "\(list)")
        let others = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n---\n"
        let mixed = try await Command.run(
            Command.todo, ["render", "-f", "-"], input: others + apps.joined(separator: "\n---\n"))
        #expect(mixed.out == documents.out, "what else the file has is left out: \(mixed)")
    }

    @Test(arguments: [
        (["render"], "--file"), (["render", "-f", "/no/such/file"], "No such file"), (["fly"], "fly"),
        (["operator", "--workers", "0"], "--workers"), (["operator", "--inherited-labels", "*"], "--inherited-labels"),
        (["operator", "--leader-elect", "--app-selector", "shard=a"], "--lease-name"),
        (["operator", "--namespace", ""], "--namespace: Invalid value"),
        (["operator", "--leader-elect-namespace", "Todo"], "--leader-elect-namespace: Invalid value"),
        (["up", "--port", "notaport"], "--port"),
        (["manifests", "--namespace", "Todo"], "--namespace: Invalid value"),
        (["manifests", "--watch-namespace", "a.b"], "must be the name of a namespace: lower-case letters"),
        (["manifests", "--image", "Registry/Todo 1"], "must be the name of a container image, in lower case"),
    ])
    func wrongUsageIsOneLineToo(arguments: [String], message: String) async throws {
        let result = try await Command.run(Command.todo, arguments)
        #expect(result.status == (arguments.last == "/no/such/file" ? 1 : 2), "\(result)")
        #expect(result.err.split(separator: "\n").count == 1 && result.err.contains(message), "\(result)")
    }

    @Test func outputThatCannotBeWrittenIsAFailure() async throws {
        let full = try await Command.run("/bin/sh", ["-c", "exec \"$0\" crds > /dev/full", Command.todo])
        #expect(full.status == 1 && full.err.hasPrefix("todo: the output could not be written in full"), "\(full)")
        let read = try await Command.run("/bin/sh", ["-c", "\"$0\" crds | head -n 1", Command.todo])
        #expect(read.out == "apiVersion: apiextensions.k8s.io/v1\n" && read.err == "", "\(read)")
    }

    /// Runs a cluster from a shell, and gives what `question` says of it, whose number is `$!`.
    private static func ask(_ question: String, of cluster: String) async throws -> String {
        let folder = try TemporaryFolder()
        let script = """
            \(cluster) &
            for _ in $(seq 300); do [ -e "$1" ] && break; sleep 0.1; done
            \(question)
            kill $!
            wait
            """
        return try await Command.run(
            "sh", ["-c", script, Command.todo, folder.url.appending(path: "kubeconfig").path]
        ).out
    }

    @Test func noFileTakesThePlaceOfAStandardDescriptorThatIsClosed() async throws {
        let held = try await Self.ask(
            "readlink /proc/$!/fd/0 /proc/$!/fd/1 /proc/$!/fd/2",
            of: #""$0" cluster --port 0 --kubeconfig "$1" <&- >&- 2>&-"#)
        #expect(held == "/dev/null\n/dev/null\n/dev/null\n")
    }

    @Test func aLowLimitOfOpenFilesIsRaisedAsFarAsItMay() async throws {
        let limits = try await Self.ask(
            "awk '/open files/ { print $4, $5 }' /proc/$!/limits",
            of: #"ulimit -S -n 200; "$0" cluster --port 0 --kubeconfig "$1" >&2"#)
        let numbers = limits.split(whereSeparator: \.isWhitespace)
        #expect(numbers.count == 2 && numbers.first == numbers.last, "\(limits)")
    }

    @Test func aKubeconfigThatNamesAMissingFileSaysWhichField() async throws {
        let folder = try TemporaryFolder()
        let kubeconfig = folder.url.appending(path: "config")
        try """
        apiVersion: v1
        kind: Config
        current-context: c
        contexts: [{name: c, context: {cluster: c, user: u}}]
        clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", certificate-authority: /no/such/ca}}]
        users: [{name: u, user: {token: t}}]

        """.write(to: kubeconfig, atomically: true, encoding: .utf8)
        let result = try await Command.run(Command.todo, ["operator", "--kubeconfig", kubeconfig.path])
        #expect(result.status == 1 && result.err.contains("clusters[0].certificate-authority"), "\(result)")
        let missing = try await Command.run(Command.todo, ["operator", "--kubeconfig", "/no/such/kubeconfig"])
        #expect(missing.status == 1 && missing.err.contains("/no/such/kubeconfig"), "\(missing)")
    }

    /// Straight to the API server, past kubectl's own checks.
    @Test func theAPIServerRefusesWhatIsTooMuchAndGoesOn() async throws {
        let cluster = try await TestCluster.shared()
        let folder = try TemporaryFolder()
        func file(_ name: String) -> String { folder.url.appending(path: name).path }
        let configuration = try #require(try YAML.parse(Command.text(of: cluster.kubeconfig)).first)
        let server = try #require(configuration["clusters"]?[0]?.at("cluster", "server")?.string)
        for (place, field) in [
            ("cluster", "certificate-authority-data"), ("user", "client-certificate-data"), ("user", "client-key-data"),
        ] {
            let encoded = try #require(configuration["\(place)s"]?[0]?.at(place, field)?.string)
            try #require(Data(base64Encoded: encoded)).write(to: folder.url.appending(path: field))
        }
        func post(_ body: String) async throws -> String {
            try await Command.run(
                "curl",
                [
                    "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", file("certificate-authority-data"),
                    "--cert", file("client-certificate-data"), "--key", file("client-key-data"),
                    "-H", "Content-Type: application/json", "--data-binary", "@-",
                    server + "/api/v1/namespaces/default/configmaps",
                ], input: body
            ).out
        }
        let big = String(repeating: "x", count: 3_200_000)
        #expect(try await post("{nope") == "400")
        #expect(try await post(String(repeating: "[", count: 10_000)) == "400")
        #expect(try await post(#"{"metadata":{"name":"big"},"data":{"x":"\#(big)"}}"#) == "413")
        #expect(try await post(#"{"metadata":{"name":"typed"},"data":{"x":1}}"#) == "400")
        #expect(try await post(#"{"metadata":{"name":"Not Valid"}}"#) == "422")
        #expect(try await post(#"{"metadata":{"generateName":"fine-"},"data":{"x":"1"}}"#) == "201")
    }
}
