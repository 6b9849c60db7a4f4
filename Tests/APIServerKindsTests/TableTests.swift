@testable import APIServerKinds
import StructuredData
import Testing

@Suite struct TableTests {
    @Test(arguments: [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (183, "3m3s"), (600, "10m"),
        (10_799, "179m"), (10_800, "3h"), (12_060, "3h21m"), (28_800, "8h"), (172_799, "47h"), (172_800, "2d"),
        (183_600, "2d3h"), (691_200, "8d"), (63_072_000, "2y"), (64_022_400, "2y11d"), (252_288_000, "8y"),
    ])
    func `durations read as kubectl prints them`(seconds: Int, text: String) {
        #expect(Moment.duration(seconds) == text)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-01-02T03:04:05Z", Fixture.nowSeconds),
        ("2026-01-02T05:04:05+02:00", Fixture.nowSeconds), ("2026-01-02T03:04:05.999999Z", Fixture.nowSeconds),
        ("1969-12-31T23:59:59Z", -1), ("2000-02-29T00:00:00Z", 951_782_400),
    ])
    func `times are read to the second`(text: String, seconds: Int) {
        #expect(Moment.seconds(text) == seconds)
    }

    @Test func `times are written as they are read`() {
        for seconds in stride(from: -70_000_000_00, to: 200_000_000_000, by: 987_654_321) {
            guard let text = Moment.text(seconds) else { continue }
            #expect(Moment.seconds(text) == seconds)
        }
    }

    @Test func `a custom resource prints the columns of its definition, as in the golden file`() throws {
        let resource = try Fixture.gizmoResource()
        let objects: [JSON] = [
            [
                "metadata": ["name": "one"], "spec": ["size": "small", "replicas": 3, "note": "hi"],
                "status": ["conditions": [["type": "Ready", "status": "True"]]],
            ],
            ["metadata": ["name": "two"], "spec": ["size": "large", "replicas": 1]],
        ]
        let table = TablePrinter.table(resource, objects: objects, now: Fixture.nowSeconds)
        #expect(table["kind"] == "Table")
        let columns = table["columnDefinitions"]?.array ?? []
        #expect(columns.compactMap { $0["name"]?.string } == ["Name", "Size", "Reps", "Ready", "Note"])
        #expect(columns.compactMap { $0["type"]?.string } == ["string", "string", "integer", "string", "string"])
        #expect(columns.compactMap { $0["priority"]?.int } == [0, 0, 0, 0, 1])
        #expect(table["rows"]?[0]?["cells"] == ["one", "small", 3, "True", "hi"])
        #expect(table["rows"]?[1]?["cells"] == ["two", "large", 1, nil, nil])
        #expect(table["rows"]?[0]?.at("object", "kind") == "PartialObjectMetadata")
    }

    @Test func `a deployment prints as the golden file says`() throws {
        let deployment: JSON = [
            "metadata": ["name": "web", "creationTimestamp": .string(Fixture.now)],
            "spec": [
                "replicas": 0, "selector": ["matchLabels": ["app": "web"]],
                "template": ["spec": ["containers": [["name": "web", "image": "example.test/none:1"]]]],
            ],
        ]
        #expect(
            try cells("apps", "deployments", deployment, after: 90) == [
                "web", "0/0", 0, 0, "90s", "web", "example.test/none:1", "app=web",
            ])
    }

    @Test func `a pod's status is told from its containers`() throws {
        func status(_ status: JSON, metadata: JSON = ["name": "p"]) throws -> [JSON] {
            let pod: JSON = [
                "metadata": metadata, "spec": ["containers": [["name": "a"], ["name": "b"]]], "status": status,
            ]
            return Array(try cells("", "pods", pod, after: 0)[1...3])
        }
        let running: JSON = ["name": "a", "ready": true, "restartCount": 0, "state": ["running": [:]]]
        #expect(try status(["phase": "Pending"]) == ["0/2", "Pending", "0"])
        #expect(try status(["phase": "Running", "containerStatuses": [running, running]]) == ["2/2", "Running", "0"])
        let crashing: JSON = [
            "name": "b", "ready": false, "restartCount": 4, "state": ["waiting": ["reason": "CrashLoopBackOff"]],
            "lastState": ["terminated": ["finishedAt": "2026-01-02T03:03:05Z"]],
        ]
        #expect(
            try status(["phase": "Running", "containerStatuses": [running, crashing]]) == [
                "1/2", "CrashLoopBackOff", "4 (60s ago)",
            ])
        let ended: JSON = ["name": "a", "restartCount": 0, "state": ["terminated": ["exitCode": 3]]]
        #expect(try status(["phase": "Failed", "containerStatuses": [ended]]) == ["0/2", "ExitCode:3", "0"])
        #expect(
            try status(["phase": "Running"], metadata: ["name": "p", "deletionTimestamp": .string(Fixture.now)]) == [
                "0/2", "Terminating", "0",
            ])
    }

    @Test func `events print both forms alike`() throws {
        let event: JSON = [
            "metadata": ["name": "e"], "involvedObject": ["kind": "Pod", "name": "p"], "type": "Normal",
            "reason": "Started", "message": " up \n", "lastTimestamp": .string(Fixture.now), "count": 2,
        ]
        let core = try Fixture.resource("", "events")
        let new = try Fixture.resource("events.k8s.io", "events")
        let expected: [JSON] = ["5s", "Normal", "Started", "pod/p", "", "", "up", "<unknown>", 2, "e"]
        for (resource, object) in [(core, event), (new, new.fromStorage(event))] {
            let table = TablePrinter.table(resource, objects: [object], now: Fixture.nowSeconds + 5)
            #expect(table["rows"]?[0]?["cells"]?.array == expected)
        }
    }

    @Test func `services, secrets and config maps print their columns`() throws {
        let service: JSON = [
            "metadata": ["name": "s"],
            "spec": [
                "type": "NodePort", "clusterIP": "10.96.0.7", "selector": ["a": "b"],
                "ports": [["port": 80, "protocol": "TCP", "nodePort": 30_001], ["port": 53, "protocol": "UDP"]],
            ],
        ]
        #expect(
            try cells("", "services", service, after: 0) == [
                "s", "NodePort", "10.96.0.7", "<none>", "80:30001/TCP,53/UDP", "<unknown>", "a=b",
            ])
        #expect(
            try cells("", "secrets", ["metadata": ["name": "s"], "type": "Opaque", "data": ["k": "dg=="]], after: 0)
                == [
                    "s", "Opaque", 1, "<unknown>",
                ])
    }

    @Test func `an endpoint slice prints its first addresses`() throws {
        let layout = try #require(BuiltinTables.layouts["discovery.k8s.io/endpointslices"])
        let slice: JSON = [
            "metadata": ["name": "s"], "addressType": "IPv4", "ports": [["port": 80], ["name": "any"]],
            "endpoints": [
                ["addresses": ["10.0.0.1", "10.0.0.2"]], ["addresses": ["10.0.0.3"]], ["addresses": ["10.0.0.4"]],
            ],
        ]
        #expect(
            layout.cells(slice, 0) == [
                "s", "IPv4", "80,any", "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...", "<unknown>",
            ])
    }

    @Test func `every built-in kind prints as many cells as it has columns, even of an empty object`() {
        for resource in ResourceRegistry().resources {
            let table = TablePrinter.table(resource, objects: [[:]], now: 0)
            #expect(table["rows"]?[0]?["cells"]?.array?.count == table["columnDefinitions"]?.array?.count)
        }
    }

    @Test func `a field's description comes from the published definitions`() throws {
        let pods = try Fixture.resource("", "pods")
        let table = TablePrinter.table(pods, objects: [], now: 0)
        #expect(table["columnDefinitions"]?[0]?["description"]?.string?.hasPrefix("Name must be unique") == true)
    }

    @Test func `a watch repeats no columns`() throws {
        let pods = try Fixture.resource("", "pods")
        let table = TablePrinter.table(pods, objects: [[:]], include: .none, now: 0, withColumns: false)
        #expect(table["columnDefinitions"] == .some(.null))
        #expect(table["rows"]?[0]?["object"] == .some(.null))
    }

    private func cells(_ group: String, _ plural: String, _ object: JSON, after seconds: Int) throws -> [JSON] {
        let resource = try Fixture.resource(group, plural)
        let table = TablePrinter.table(resource, objects: [object], now: Fixture.nowSeconds + seconds)
        return try #require(table["rows"]?[0]?["cells"]?.array)
    }
}

@Suite struct JSONPathTests {
    private let object: JSON = [
        "spec": ["parts": [["name": "a", "weight": 1], ["name": "b", "weight": 5]]],
        "metadata": ["annotations": ["example.com/key": "v"]],
    ]

    @Test(arguments: [
        (".spec.parts[0].name", ["a"]), (".spec.parts[-1].name", ["b"]), (".spec.parts[*].name", ["a", "b"]),
        (".spec.parts[?(@.name==\"b\")].weight", ["5"]), (".spec.parts[?(@.weight>1)].name", ["b"]),
        (".metadata.annotations['example.com/key']", ["v"]), (".metadata.annotations.example\\.com/key", ["v"]),
        (".spec.absent", []), (".spec.parts[9].name", []), ("{.spec.parts[0:1].name}", ["a"]),
        ("..weight", ["1", "5"]), (".spec.parts[?(@.absent)].name", []),
    ])
    func `a path finds what it names`(path: String, found: [String]) throws {
        let expression = try #require(JSONPathExpression(path))
        #expect(expression.find(in: object).map { $0.string ?? $0.text } == found)
    }

    @Test(arguments: [".a[", ".a[?(", ".a[?(@.x==)]", ".a]", ".a[x]", "a b", ".a..[", ".a\\"])
    func `what is no path is refused`(path: String) {
        #expect(JSONPathExpression(path) == nil)
    }
}
