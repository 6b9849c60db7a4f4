internal import Crypto

/// The page as it is served: `index.html` names the other files below a path that changes whenever one of them does, so
/// that browsers may keep those for good.
public struct WebPage: Sendable {
    /// Hexadecimal; the same for the same files.
    public let version: String
    /// What `/` answers.
    public let index: WebAsset
    /// By path, all but the index.
    public let assets: [String: WebAsset]

    public static let shared = WebPage(WebAsset.all)

    /// - Parameter files: `index.html` among them.
    init(_ files: [WebAsset]) {
        version = Self.version(of: files)
        let prefix = "/assets/\(version)"
        assets = Dictionary(
            uniqueKeysWithValues: files.filter { $0.path != Self.indexPath }.map { ($0.path, $0) })
        // Without the hints a browser would find the modules one after the other, each in the one that imports it.
        let hints = files.filter { $0.path.hasSuffix(".js") }
            .map { #"<link rel="modulepreload" href="\#(prefix)/\#($0.path)">"# }
        let template = files.first { $0.path == Self.indexPath }?.bytes ?? []
        let text = String(decoding: template, as: UTF8.self)
            .replacing("{{assets}}", with: prefix)
            .replacing("<!-- {{modules}} -->", with: hints.joined(separator: "\n"))
        index = WebAsset(path: Self.indexPath, bytes: Array(text.utf8))
    }

    private static let indexPath = "index.html"

    private static func version(of files: [WebAsset]) -> String {
        var hash = SHA256()
        for file in files {
            hash.update(data: Array("\(file.path)\0\(file.bytes.count)\0".utf8))
            hash.update(data: file.bytes)
        }
        let digits = Array("0123456789abcdef")
        return String(hash.finalize().prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
