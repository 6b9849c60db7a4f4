import StructuredData
import Testing

@testable import KubernetesClient

private let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
private let key = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"

private func kubeconfig(cluster: String = "{server: https://c:6443}", user: String = "{token: t}") -> String {
    """
    apiVersion: v1
    kind: Config
    current-context: main
    clusters: [{name: c, cluster: \(cluster)}]
    users: [{name: u, user: \(user)}]
    contexts: [{name: main, context: {cluster: c, user: u, namespace: todo}}]
    """
}

private func resolve(_ text: String, path: String = "/x", context: String? = nil) throws -> ClusterConfiguration {
    try Kubeconfig(text: text, path: path).configuration(context: context)
}

@Suite struct KubeconfigTests {
    @Test func theCurrentContextGivesServerNamespaceAndToken() throws {
        let configuration = try resolve(kubeconfig())
        #expect(configuration.server == "https://c:6443")
        #expect(configuration.namespace == "todo")
        guard case .token("t") = configuration.credentials else {
            Issue.record("\(configuration.credentials)")
            return
        }
    }

    @Test func anotherContextCanBeNamed() throws {
        let text = """
            current-context: a
            clusters: [{name: a, cluster: {server: https://a}}, {name: b, cluster: {server: https://b/base/}}]
            contexts: [{name: a, context: {cluster: a}}, {name: b, context: {cluster: b}}]
            """
        #expect(try resolve(text, context: "b").server == "https://b/base")
        #expect(try resolve(text).server == "https://a")
        #expect(try resolve(text).namespace == "default")
    }

    @Test func certificatesAreReadInlineAndFromFilesBesideTheKubeconfig() throws {
        let folder = try Folder()
        try folder.write("pki/ca.crt", pem)
        try folder.write("me.crt", pem)
        try folder.write("me.key", key)
        let text = kubeconfig(
            cluster: "{server: https://c, certificate-authority: pki/ca.crt, tls-server-name: api.local}",
            user: "{client-certificate: me.crt, client-key-data: \(Base64.encode(Array(key.utf8)))}")
        let configuration = try resolve(text, path: "\(folder.path)/config")
        #expect(configuration.tls.certificateAuthority == Array(pem.utf8))
        #expect(configuration.tls.serverName == "api.local")
        #expect(configuration.tls.identity?.certificate == Array(pem.utf8))
        #expect(configuration.tls.identity?.privateKey == Array(key.utf8))
    }

    @Test func inlineDataComesBeforeTheFile() throws {
        let data = Base64.encode(Array(pem.utf8))
        let text = kubeconfig(
            cluster: "{server: https://c, certificate-authority: /absent, certificate-authority-data: \(data)}")
        #expect(try resolve(text).tls.certificateAuthority == Array(pem.utf8))
    }

    @Test func insecureProxyBasicAndImpersonationAreRead() throws {
        let configuration = try resolve(
            kubeconfig(
                cluster: "{server: https://c, insecure-skip-tls-verify: true, proxy-url: 'socks5://p:1080'}",
                user: "{username: me, password: pw, as: eve, as-uid: '7', as-groups: [a, b], as-user-extra: {k: [v]}}"))
        #expect(configuration.tls.insecureSkipVerify)
        #expect(configuration.proxyURL == "socks5://p:1080")
        #expect(
            configuration.impersonation
                == .init(user: "eve", uid: "7", groups: ["a", "b"], extra: ["k": ["v"]]))
        guard case .basic("me", "pw") = configuration.credentials else {
            Issue.record("\(configuration.credentials)")
            return
        }
    }

    @Test func aServerWithoutASchemeIsHTTPUnlessThereIsTLS() throws {
        #expect(try resolve(kubeconfig(cluster: "{server: 'c:8080'}")).server == "http://c:8080")
        let secure = kubeconfig(cluster: "{server: 'c:8080', insecure-skip-tls-verify: true}")
        #expect(try resolve(secure).server == "https://c:8080")
    }

    @Test func anExecPluginIsReadWithItsClusterInfo() throws {
        let text = kubeconfig(
            cluster: """
                {server: https://c, certificate-authority-data: \(Base64.encode(Array(pem.utf8))), extensions: \
                [{name: client.authentication.k8s.io/exec, extension: {audience: me}}]}
                """,
            user: """
                {exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/login, args: [-a], \
                env: [{name: A, value: b}], interactiveMode: Never, provideClusterInfo: true, installHint: get it}}
                """)
        guard case .exec(let plugin) = try resolve(text, path: "/conf/x").credentials else {
            Issue.record("no plugin")
            return
        }
        #expect(plugin.command == "/conf/bin/login")
        #expect(plugin.arguments == ["-a"])
        #expect(plugin.environment == ["A": "b"])
        #expect(plugin.interactiveMode == .never)
        #expect(plugin.clusterInfo?["server"] == "https://c")
        #expect(plugin.clusterInfo?["certificate-authority-data"]?.string == Base64.encode(Array(pem.utf8)))
        #expect(plugin.clusterInfo?["config"] == ["audience": "me"])
    }

    @Test func secretsStayOutOfDescriptions() throws {
        let configuration = try resolve(kubeconfig(user: "{token: hunter2}"))
        let basic = Credentials.basic(user: "me", password: "hunter2")
        let identity = ClientIdentity(certificate: [1], privateKey: Array("hunter2".utf8))
        for text in ["\(configuration)", "\(basic)", String(reflecting: basic), "\(identity)"] {
            #expect(!text.contains("hunter2"))
        }
    }

    @Test(arguments: [
        ("{", "kubeconfig /x: is not YAML: "),
        ("[]", "kubeconfig /x: must be a mapping with clusters, users and contexts"),
        ("kind: Pod", "kubeconfig /x: kind: is Pod, not Config"),
        ("", "kubeconfig /x: current-context: is not set; it has no contexts"),
        ("a: 1\n---\nb: 2", "kubeconfig /x: has 2 documents, expected one"),
        ("clusters: {}", "kubeconfig /x: clusters: must be a list"),
        ("clusters: [1]", "kubeconfig /x: clusters[0]: must be a mapping"),
        ("users: [{user: {}}]", "kubeconfig /x: users[0].name: is required"),
        ("users: [{name: a}, {name: a}]", "kubeconfig /x: users[1].name: a is there twice"),
        (
            "current-context: b\ncontexts: [{name: a}, {name: c}]",
            "kubeconfig /x: current-context: there is no context b; it has a, c"
        ),
        ("current-context: a\ncontexts: [{name: a}]", "kubeconfig /x: contexts[0].cluster: is required"),
        (
            "current-context: a\ncontexts: [{name: a, context: {cluster: k}}]",
            "kubeconfig /x: contexts[0].cluster: there is no cluster k"
        ),
        (
            "current-context: a\nclusters: [{name: k, cluster: {server: https://k}}]\n"
                + "contexts: [{name: a, context: {cluster: k, user: w}}]",
            "kubeconfig /x: contexts[0].user: there is no user w"
        ),
        (kubeconfig(cluster: "{}"), "kubeconfig /x: clusters[0].server: is required"),
        (kubeconfig(cluster: "{server: 3}"), "kubeconfig /x: clusters[0].server: must be a string"),
        (
            kubeconfig(cluster: "{server: 'ftp://c'}"),
            "kubeconfig /x: clusters[0].server: ftp://c is not an http or https address"
        ),
        (
            kubeconfig(cluster: "{server: https://c, certificate-authority: /absent/ca}"),
            "kubeconfig /x: clusters[0].certificate-authority: /absent/ca does not exist"
        ),
        (
            kubeconfig(cluster: "{server: https://c, certificate-authority: /}"),
            "kubeconfig /x: clusters[0].certificate-authority: / is a directory"
        ),
        (
            kubeconfig(cluster: "{server: https://c, certificate-authority-data: '*'}"),
            "kubeconfig /x: clusters[0].certificate-authority-data: is not base64"
        ),
        (
            kubeconfig(cluster: "{server: https://c, certificate-authority-data: AAAA}"),
            "kubeconfig /x: clusters[0].certificate-authority-data: is not PEM"
        ),
        (
            kubeconfig(cluster: "{server: https://c, insecure-skip-tls-verify: 'yes'}"),
            "kubeconfig /x: clusters[0].insecure-skip-tls-verify: must be true or false"
        ),
        (
            kubeconfig(cluster: "{server: https://c, proxy-url: 'p:1'}"),
            "kubeconfig /x: clusters[0].proxy-url: p:1 does not begin with http://, https:// or socks5://"
        ),
        (
            kubeconfig(user: "{client-certificate: /y, client-key: /z}"),
            "kubeconfig /x: users[0].client-certificate: /y does not exist"
        ),
        (kubeconfig(user: "{tokenFile: /absent}"), "kubeconfig /x: users[0].tokenFile: /absent does not exist"),
        (
            kubeconfig(user: "{token: t, username: u}"),
            "kubeconfig /x: users[0].token: there is a username too; only one way to log in is allowed"
        ),
        (
            kubeconfig(user: "{auth-provider: {name: gcp}}"),
            "kubeconfig /x: users[0].auth-provider: is no longer supported by Kubernetes; use exec"
        ),
        (
            kubeconfig(user: "{exec: {command: c}}"),
            "kubeconfig /x: users[0].exec.apiVersion: is required"
        ),
        (
            kubeconfig(user: "{exec: {command: c, apiVersion: client.authentication.k8s.io/v1alpha1}}"),
            "kubeconfig /x: users[0].exec.apiVersion: client.authentication.k8s.io/v1alpha1 is not supported; use "
                + "client.authentication.k8s.io/v1 or v1beta1"
        ),
        (
            kubeconfig(user: "{exec: {command: c, apiVersion: client.authentication.k8s.io/v1}}"),
            "kubeconfig /x: users[0].exec.interactiveMode: is required"
        ),
        (
            kubeconfig(user: "{as-groups: [a]}"),
            "kubeconfig /x: users[0].as: is required with as-uid, as-groups or as-user-extra"
        ),
    ])
    func everyFaultNamesFileAndField(text: String, expected: String) async {
        let message = await message { () throws(ConfigurationError) in
            try Kubeconfig(text: text, path: "/x").configuration()
        }
        #expect(message.hasPrefix(expected), "\(message)")
        #expect(!message.contains("\n"))
    }
}

@Suite struct KubeconfigMergeTests {
    @Test func theFirstFileWinsAndEntriesAreNotMixed() throws {
        let folder = try Folder()
        let one = try folder.write(
            "one/config",
            """
            users: [{name: red, user: {username: first}}]
            clusters: [{name: c, cluster: {server: https://one}}]
            contexts: [{name: main, context: {cluster: c, user: red}}]
            """)
        let two = try folder.write(
            "two/config",
            """
            current-context: main
            users: [{name: red, user: {token: second}}, {name: blue, user: {tokenFile: token}}]
            clusters: [{name: c, cluster: {server: https://two, tls-server-name: two}}]
            contexts: [{name: main, context: {cluster: c, user: blue}}, {name: other, context: {cluster: c, user: blue}}]
            """)
        try folder.write("two/token", "T")
        let environment = ["KUBECONFIG": "\(folder.path)/absent:\(one)::\(two)"]
        let main = try ClusterConfiguration.load(environment: environment)
        #expect(main.server == "https://one")
        #expect(main.tls.serverName == nil)
        guard case .basic("first", "") = main.credentials else {
            Issue.record("\(main.credentials)")
            return
        }
        #expect(try Kubeconfig(files: [one, two]).contextNames == ["main", "other"])
        let other = try ClusterConfiguration.load(context: "other", environment: environment)
        guard case .tokenFile("\(folder.path)/two/token", nil) = other.credentials else {
            Issue.record("\(other.credentials)")
            return
        }
    }

    @Test func aFileThatDoesNotExistIsNamed() async {
        let one = await message { () throws(ConfigurationError) in
            try ClusterConfiguration.load(kubeconfig: "/absent/config", environment: [:])
        }
        #expect(one == "kubeconfig /absent/config: does not exist")
        let all = await message { () throws(ConfigurationError) in
            try ClusterConfiguration.load(environment: ["KUBECONFIG": "/absent/a:/absent/b"])
        }
        #expect(all == "kubeconfig /absent/a:/absent/b: does not exist")
        let none = await message { () throws(ConfigurationError) in
            try ClusterConfiguration.load(environment: ["HOME": "/absent"])
        }
        #expect(
            none == "no cluster to talk to: name a kubeconfig file or set KUBECONFIG; "
                + "/absent/.kube/config does not exist")
    }

    @Test func homeIsUsedLast() throws {
        let folder = try Folder()
        try folder.write(".kube/config", kubeconfig())
        #expect(try ClusterConfiguration.load(environment: ["HOME": folder.path]).server == "https://c:6443")
    }
}

@Suite struct InClusterTests {
    private let environment = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]

    @Test func thePodsServiceAccountIsUsed() throws {
        let folder = try Folder()
        try folder.write("token", "T\n")
        try folder.write("ca.crt", pem)
        try folder.write("namespace", "todo\n")
        let configuration = try ClusterConfiguration.inCluster(environment: environment, folder: folder.path)
        #expect(configuration.server == "https://[fd00::1]:443")
        #expect(configuration.namespace == "todo")
        #expect(configuration.tls.certificateAuthority == Array(pem.utf8))
        guard case .tokenFile("\(folder.path)/token", nil) = configuration.credentials else {
            Issue.record("\(configuration.credentials)")
            return
        }
    }

    @Test func whatIsMissingIsNamed() async throws {
        let outside = await message { () throws(ConfigurationError) in
            try ClusterConfiguration.inCluster(environment: [:])
        }
        #expect(outside.hasPrefix("in-cluster configuration: KUBERNETES_SERVICE_HOST: is not set"))
        let folder = try Folder()
        let unmounted = await message { () throws(ConfigurationError) in
            try ClusterConfiguration.inCluster(environment: environment, folder: folder.path)
        }
        #expect(unmounted.hasPrefix("in-cluster configuration: token: \(folder.path)/token does not exist; check"))
    }
}
