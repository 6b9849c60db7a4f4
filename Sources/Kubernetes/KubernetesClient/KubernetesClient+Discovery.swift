internal import HTTPTypes
internal import StructuredData

extension KubernetesClient {
    private static let aggregated =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
        + "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"

    /// Everything that the server serves: two requests when it has aggregated discovery (Kubernetes 1.27 and later),
    /// else one more per group version. A group version that does not answer is in `failures`.
    public func discovery() async throws(APIError) -> Discovery {
        var result = Discovery()
        for path in ["/api", "/apis"] {
            let document = try await json(
                Call(verb: "get", method: .get, path: path, accept: Self.aggregated))
            switch document["kind"]?.string {
            case "APIGroupDiscoveryList": result.add(aggregated: document)
            case "APIVersions": await add([Discovery.coreGroup(document)], to: &result)
            case "APIGroupList": await add(Discovery.groups(document), to: &result)
            default:
                throw APIError(
                    verb: "get", path: path, server: configuration.server,
                    cause: .malformedResponse("not a discovery document"))
            }
        }
        return result
    }

    /// What one group version serves; nil when it is not served at all. One small request: the way to probe whether an
    /// API is there.
    public func resources(group: String, version: String) async throws(APIError) -> [DiscoveredResource]? {
        let path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        do {
            let document = try await json(Call(verb: "get", method: .get, path: path))
            return Discovery.resources(document, group: group, version: version)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private func add(_ groups: [Discovery.Group], to result: inout Discovery) async {
        result.groups += groups
        for group in groups {
            for version in group.versions {
                do {
                    result.resources += try await resources(group: group.name, version: version) ?? []
                } catch {
                    result.failures[group.name.isEmpty ? version : "\(group.name)/\(version)"] = "\(error)"
                }
            }
        }
    }
}
