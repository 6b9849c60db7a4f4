internal import TodoWebAssets

/// A file of the web page, as it was when the program was built.
public struct WebAsset: Sendable, Hashable {
    /// Relative to the page: `app.js`, `parts/task-list.js`.
    public let path: String
    public let bytes: [UInt8]

    /// With the character set, where it is text.
    public var contentType: String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        default: "application/octet-stream"
        }
    }

    /// Every file, by path.
    public static let all: [WebAsset] = (0..<todo_web_asset_count()).map { index in
        let asset = todo_web_assets()[index]
        let path = String(cString: asset.path).dropFirst("../Assets/".utf8.count)
        return WebAsset(path: String(path), bytes: Array(UnsafeBufferPointer(start: asset.bytes, count: asset.length)))
    }.sorted { $0.path < $1.path }
}
