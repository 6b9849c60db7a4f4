import StructuredData
import Testing

@testable import KubernetesClient

private func page(_ names: [String], version: String = "9", next: String? = nil) -> StubServer.Step {
    var metadata: JSON = ["resourceVersion": JSON(version)]
    metadata["continue"] = next.map { JSON($0) }
    if next != nil { metadata["remainingItemCount"] = 3 }
    let items = names.map { name -> JSON in ["metadata": ["name": JSON(name), "namespace": "home"]] }
    return .answer(200, ["kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": JSON(items)])
}

@Suite struct ListTests {
    @Test func onePageKeepsItsPlace() async throws {
        let server = StubServer([page(["a"], next: "x")])
        let options = ListOptions(
            labelSelector: "a=b", fieldSelector: "metadata.name!=c", limit: 1, resourceVersion: "5",
            resourceVersionMatch: .notOlderThan)
        let list = try await server.client().list(.configMaps, options: options)
        #expect(list.continueToken == "x")
        #expect(list.remainingItemCount == 3)
        #expect(list.resourceVersion == "9")
        #expect(list.items.first?.kind == "ConfigMap")
        #expect(list.items.first?.apiVersion == "v1")
        #expect(
            server.requests.first?.path == "/api/v1/configmaps?labelSelector=a%3Db&fieldSelector=metadata.name%21%3Dc"
                + "&limit=1&resourceVersion=5&resourceVersionMatch=NotOlderThan")
    }

    @Test func allPagesAreFollowedWithoutTheVersion() async throws {
        let server = StubServer([page(["a", "b"], next: "x"), page(["c"], next: "y"), page(["d"])])
        let list = try await server.client().listAll(
            .configMaps, namespace: "home", options: ListOptions(resourceVersion: "0"))
        #expect(list.items.map(\.name) == ["a", "b", "c", "d"])
        #expect(list.continueToken == nil)
        #expect(
            server.requests.map(\.path) == [
                "/api/v1/namespaces/home/configmaps?limit=500&resourceVersion=0",
                "/api/v1/namespaces/home/configmaps?limit=500&continue=x",
                "/api/v1/namespaces/home/configmaps?limit=500&continue=y",
            ])
    }

    @Test func pagesThatExpireAreBegunAnewOnce() async throws {
        let expired = StubServer.Step.answer(410, status(410, "Expired"))
        let server = StubServer([page(["a"], next: "x"), expired, page(["a2"], next: "y"), page(["b"])])
        #expect(try await server.client().listAll(.configMaps).items.map(\.name) == ["a2", "b"])

        let stubborn = StubServer([page(["a"], next: "x"), expired, page(["a"], next: "y"), expired])
        let error = await apiError { () async throws(APIError) in
            try await stubborn.client().listAll(.configMaps)
        }
        #expect(error?.isGone == true)
        #expect(stubborn.requests.count == 4)
    }

    @Test func anExpiredFirstPageIsTheCallersAffair() async {
        let server = StubServer([.answer(410, status(410, "Expired"))])
        let error = await apiError { () async throws(APIError) in
            try await server.client().listAll(.configMaps, options: ListOptions(resourceVersion: "1"))
        }
        #expect(error?.isGone == true)
        #expect(server.requests.count == 1)
    }

    @Test func aBadItemDoesNotCostTheOthers() async throws {
        let server = StubServer([
            "kind": "LeaseList", "metadata": ["resourceVersion": "1"], "items": [3, ["metadata": ["name": "a"]]],
        ])
        let list = try await server.client().list(.leases)
        #expect(list.items.map(\.name) == ["", "a"])
    }

    @Test func somethingElseThanAListIsMalformed() async {
        let server = StubServer(configMap("a"))
        let error = await apiError { () async throws(APIError) in try await server.client().list(.configMaps) }
        guard case .malformedResponse = error?.cause else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func typedListsReportWhatDoesNotRead() async throws {
        struct Named: TypedResource {
            struct NoName: Error {}
            static let resourceType = ResourceType.configMaps
            var name: String
            init(_ object: KubernetesObject) throws {
                guard object.name != "bad" else { throw NoName() }
                name = object.name
            }
        }
        let server = StubServer([page(["a", "bad", "b"])])
        let list = try await server.client().listAll(Named.self)
        #expect(list.items.map(\.name) == ["a", "b"])
        #expect(list.undecodable.map(\.object.name) == ["bad"])
        #expect(list.resourceVersion == "9")
    }
}
