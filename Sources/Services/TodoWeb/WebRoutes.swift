internal import Compression
internal import HTTPTypes
public import Hummingbird

/// `GET /` and what the page is made of, for anybody: it holds nothing of anyone.
public struct WebRoutes: Sendable {
    /// What a page that was tricked could do with these is nothing: scripts and styles come from this origin and from
    /// nowhere else, none are inline, no text becomes HTML, and no other site may frame it.
    public static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
        "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    ].joined(separator: "; ")

    private let index: Prepared
    private let assets: [String: Prepared]
    private let version: String

    public init(page: WebPage = .shared) {
        version = page.version
        // The page itself is asked for again each time, and mostly not sent again.
        index = Prepared(page.index, tag: page.version, caching: "no-cache")
        assets = page.assets.mapValues {
            Prepared($0, tag: page.version, caching: "public, max-age=31536000, immutable")
        }
    }

    /// Adds `/`, `/index.html` and `/assets/<version>/…`; of an other version than this program's there is nothing.
    public func add<Context: RequestContext>(to router: Router<Context>) {
        for path in ["/", "/index.html"] as [RouterPath] {
            router.get(path) { [index] request, _ in index.answer(to: request) }
        }
        router.get("/assets/:version/**") { [assets, version] request, context in
            let path = context.parameters.getCatchAll().joined(separator: "/")
            guard context.parameters.get("version") == version, let asset = assets[path] else {
                throw HTTPError(.notFound)
            }
            return asset.answer(to: request)
        }
    }
}

/// A file with all that there is to say of it, made once.
private struct Prepared: Sendable {
    private let plain: ByteBuffer
    /// Nil where it would not be smaller.
    private let gzipped: ByteBuffer?
    private let tag: String
    private let headers: HTTPFields

    init(_ asset: WebAsset, tag: String, caching: String) {
        plain = ByteBuffer(bytes: asset.bytes)
        gzipped = Gzip.compress(asset.bytes, level: 9)
            .flatMap { $0.count < asset.bytes.count ? ByteBuffer(bytes: $0) : nil }
        // Weak: it is the same for both encodings.
        self.tag = "W/\"\(tag)\""
        var headers: HTTPFields = [
            .contentType: asset.contentType, .cacheControl: caching, .eTag: self.tag, .vary: "Accept-Encoding",
            .contentSecurityPolicy: WebRoutes.contentSecurityPolicy, .xContentTypeOptions: "nosniff",
        ]
        for (name, value) in [
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        self.headers = headers
    }

    func answer(to request: Request) -> Response {
        let known = request.headers[.ifNoneMatch]?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
        if known.contains(tag) || known == ["*"] { return Response(status: .notModified, headers: headers) }
        if let gzipped, Gzip.isAccepted(by: request.headers[.acceptEncoding]) {
            var headers = headers
            headers[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: gzipped))
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: plain))
    }
}
