internal import APIServerKinds
internal import KubernetesSchema
internal import StructuredData

/// A patch of one of the formats that need no field manager, parsed.
struct Patch: Sendable {
    private enum Kind {
        case json(JSONPatch)
        case merge(JSON)
        case strategic(JSON)
    }

    private let kind: Kind
    private let text: String
    /// The paths of keys that the patch has twice.
    let duplicates: [String]

    private static let operationLimit = 10_000

    init(_ type: PatchType, _ request: ResourceRequest) throws(StatusError) {
        var duplicates: [String] = []
        let json: JSON
        do throws(JSONParseError) {
            json = try JSON.parse(request.request.body, reportingDuplicates: &duplicates)
        } catch {
            throw .badRequest("error decoding patch: \(error)")
        }
        text = json.text
        self.duplicates = duplicates
        switch type {
        case .json:
            guard json.array?.count ?? 0 <= Self.operationLimit else {
                throw StatusError(
                    413, "RequestEntityTooLarge",
                    "The allowed maximum operations in a JSON patch is \(Self.operationLimit), "
                        + "got \(json.array?.count ?? 0)")
            }
            do { kind = .json(try JSONPatch(json)) } catch { throw .badRequest("error decoding patch: \(error)") }
        case .merge, .strategic, .apply:
            guard json.object != nil else { throw .badRequest("error decoding patch: the patch is not an object") }
            kind = type == .merge ? .merge(json) : .strategic(json)
        }
    }

    func apply(to object: JSON, schema: Schema?) throws(StatusError) -> JSON {
        switch kind {
        case .merge(let patch): return MergePatch.apply(patch, to: object)
        case .json(let patch):
            do { return try patch.apply(to: object) } catch {
                throw StatusError(
                    422, "Invalid", "the server rejected our request due to an error in our request: \(error)")
            }
        case .strategic(let patch):
            guard let schema else { throw .unsupportedMediaType([PatchType.json.rawValue, PatchType.merge.rawValue]) }
            do throws(StrategicMergePatchError) {
                return try StrategicMergePatch.apply(patch, to: object, schema: schema)
            } catch {
                throw .badRequest(error.message)
            }
        }
    }

    /// What an error about the patch quotes: the result of a JSON or merge patch, the patch itself of a strategic one.
    func shownText(of patched: JSON) -> String {
        if case .strategic = kind { return text }
        return patched.text
    }
}
