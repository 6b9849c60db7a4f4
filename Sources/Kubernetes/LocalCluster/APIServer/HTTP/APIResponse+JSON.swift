internal import HTTPTypes
internal import StructuredData

extension APIResponse {
    static func json(_ status: Int = 200, _ bytes: [UInt8], warnings: [String] = []) -> APIResponse {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-cache, private"]
        if let name = HTTPField.Name("Warning"), !warnings.isEmpty {
            headers[values: name] = warnings.unique.prefix(64).map(\.asWarning)
        }
        return APIResponse(status: .init(code: status), headers: headers, body: .bytes(bytes))
    }

    static func json(_ status: Int = 200, _ json: JSON, warnings: [String] = []) -> APIResponse {
        .json(status, json.encoded(), warnings: warnings)
    }

    /// The same answer with one warning more.
    func warning(_ text: String?) -> APIResponse {
        guard let text, let name = HTTPField.Name("Warning") else { return self }
        var response = self
        response.headers[values: name].append(text.asWarning)
        return response
    }

    static func text(_ status: Int = 200, _ text: String) -> APIResponse {
        APIResponse(
            status: .init(code: status), headers: [.contentType: "text/plain; charset=utf-8"],
            body: .bytes(Array(text.utf8)))
    }

    static func failure(_ error: StatusError) -> APIResponse {
        var response = APIResponse.json(error.code, error.json)
        if let seconds = error.retryAfterSeconds { response.headers[.retryAfter] = String(seconds) }
        return response
    }
}

extension [String] {
    fileprivate var unique: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}

extension String {
    /// A `Warning` header (RFC 7234 section 5.5) as kube-apiserver writes it: `299 - "text"`.
    fileprivate var asWarning: String {
        let safe = String(
            String.UnicodeScalarView(unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        return "299 - \"\(safe.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
}
