internal import APIServerKinds
internal import HTTPTypes
internal import KubernetesClient
internal import StructuredData

extension ResourceRequest {
    static let bodyTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]

    /// The type of the body, without parameters; JSON when the client does not say.
    var contentType: String {
        let header = request.headers[.contentType] ?? ""
        let type = header.prefix { $0 != ";" }
        return type.isEmpty ? "application/json" : String(type).trimmed.lowercased()
    }

    /// The body as a value, and the paths of keys that it has twice.
    func parsedBody() throws(StatusError) -> (json: JSON, duplicates: [String]) {
        switch contentType {
        case "application/json": return try json(request.body)
        case "application/yaml": return (try yaml(request.body), [])
        case "application/vnd.kubernetes.protobuf":
            do throws(ProtobufError) {
                return (try ProtobufDecoder.decode(request.body), [])
            } catch {
                switch error {
                case .malformed(let why): throw .badRequest("the object provided is unrecognized: \(why)")
                case .unsupportedKind: throw .unsupportedMediaType(["application/json", "application/yaml"])
                }
            }
        default: throw .unsupportedMediaType(Self.bodyTypes)
        }
    }

    private func json(_ bytes: [UInt8]) throws(StatusError) -> (json: JSON, duplicates: [String]) {
        var duplicates: [String] = []
        do throws(JSONParseError) {
            return (try JSON.parse(bytes, reportingDuplicates: &duplicates), duplicates)
        } catch {
            throw cannotBeHandled("json: \(error.message) (offset \(error.offset))")
        }
    }

    private func yaml(_ bytes: [UInt8]) throws(StatusError) -> JSON {
        do throws(YAMLError) {
            return try YAML.parse(bytes).first ?? .null
        } catch {
            throw cannotBeHandled("yaml: \(error)")
        }
    }

    /// The body as an object of `resource`, unknown fields dropped and reported as `options` want.
    func decodedBody(
        options: WriteOptions, warnings: inout [String]
    ) throws(StatusError) -> JSON {
        let (json, duplicates) = try parsedBody()
        let decoded = try decode(json)
        let problems =
            duplicates.map { "duplicate field \(quoted($0))" }
            + decoded.unknownFields.map { "unknown field \(quoted($0))" }
        switch options.fieldValidation {
        case .ignore: break
        case .warn: warnings += problems
        case .strict:
            guard problems.isEmpty else {
                throw cannotBeHandled("strict decoding error: \(problems.joined(separator: ", "))")
            }
        }
        return decoded.object
    }

    func decode(_ json: JSON) throws(StatusError) -> DecodedBody {
        do throws(BodyError) { return try resource.decode(json) } catch { throw .badRequest(error.message) }
    }

    private func cannotBeHandled(_ why: String) -> StatusError {
        let kind = resource.type.kind
        return .badRequest("\(kind) in version \(quoted(resource.type.version)) cannot be handled as a \(kind): \(why)")
    }
}
