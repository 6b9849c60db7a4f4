internal import Concurrency
internal import Crypto
internal import KubernetesClient
internal import StructuredData

extension ServedSet {
    /// See `ResourceRegistry.document`.
    func document(path: String, accept: String, serverAddress: String) -> ServedDocument? {
        let steps = path.split(separator: "/").map(String.init)
        switch steps.first {
        case "api", "apis", "version": return discovery(steps, accept: accept, serverAddress: serverAddress)
        case "openapi": return openAPI(Array(steps.dropFirst()), accept: accept)
        case nil: return json(DiscoveryDocuments(served: self).paths)
        default: return nil
        }
    }

    private func discovery(_ steps: [String], accept: String, serverAddress: String) -> ServedDocument? {
        let plain = DiscoveryDocuments(served: self)
        if steps == ["api"] || steps == ["apis"], let version = MediaTypes(accept).aggregatedDiscovery {
            let aggregated = AggregatedDiscovery(version: version, documents: plain)
            return cached("\(steps[0])/\(version)", contentType: aggregated.contentType) {
                (steps == ["api"] ? aggregated.core : aggregated.named).encoded()
            }
        }
        switch (steps.count, steps[0]) {
        case (1, "version"): return json(ServerVersion.document)
        case (1, "api"): return json(plain.coreVersions(serverAddress: serverAddress))
        case (1, "apis"): return json(plain.groupList)
        case (2, "api"): return plain.resourceList(group: "", version: steps[1]).map(json)
        case (2, "apis"): return plain.group(steps[1]).map(json)
        case (3, "apis"): return plain.resourceList(group: steps[1], version: steps[2]).map(json)
        default: return nil
        }
    }

    private func json(_ document: JSON) -> ServedDocument {
        ServedDocument(bytes: document.encoded(), contentType: "application/json", etag: nil)
    }

    /// The document kept under `key`, made by `make` when it is not there yet.
    func cached(
        _ key: String, contentType: String, tag: String? = nil, _ make: () -> [UInt8]
    ) -> ServedDocument {
        if let known = documents.withLock({ $0[key] }) { return known }
        let bytes = make()
        let etag = "\"\(tag ?? Self.hash(bytes))\""
        let document = ServedDocument(bytes: bytes, contentType: contentType, etag: etag)
        documents.withLock { $0[key] = document }
        return document
    }

    static func hash(_ bytes: [UInt8]) -> String { hexadecimal(SHA512.hash(data: bytes)) }

    static func hexadecimal(_ digest: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    private func openAPI(_ steps: [String], accept: String) -> ServedDocument? {
        let documents = OpenAPIVersion3(served: self)
        switch steps.first {
        case "v2" where steps.count == 1: return version2(accept: accept)
        case "v3" where steps.count == 1:
            return cached("openapi/v3", contentType: "application/json") { documents.index.encoded() }
        case "v3":
            let group = steps.count == 4 && steps[1] == "apis" ? steps[2] : ""
            guard let version = steps.last, steps.count == 4 || (steps.count == 3 && steps[1] == "api"),
                resources.contains(where: { $0.type.group == group && $0.type.version == version })
            else { return nil }
            let tag = documents.hash(group: group, version: version)
            return cached(steps.joined(separator: "/"), contentType: "application/json", tag: tag) {
                documents.document(group: group, version: version)
            }
        default: return nil
        }
    }

    /// As JSON unless the client asks for protobuf before it.
    private func version2(accept: String) -> ServedDocument {
        for entry in MediaTypes(accept).entries {
            if entry.name.hasPrefix("application/com.github.proto-openapi.spec.v2") {
                return cached("openapi/v2/protobuf", contentType: OpenAPIVersion2Protobuf.contentType) {
                    OpenAPIVersion2Protobuf.encode(OpenAPIVersion2(served: self).document)
                }
            }
            if ["application/json", "*/*", "application/*"].contains(entry.name) { break }
        }
        return cached("openapi/v2", contentType: "application/json") {
            OpenAPIVersion2(served: self).document.encoded()
        }
    }
}
