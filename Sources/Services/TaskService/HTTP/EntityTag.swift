internal import HTTPTypes
internal import ServiceHTTP

enum EntityTag {
    /// A version as a strong entity tag (RFC 9110, section 8.8.3).
    static func text(_ version: Int) -> String { "\"\(version)\"" }
}

/// The value of `If-Match` or `If-None-Match` (RFC 9110, section 13.1).
enum EntityTagCondition: Equatable {
    case any
    case tags([Substring])

    init?(_ header: String?) {
        guard let header else { return nil }
        let tags = header.split(separator: ",").map { $0.trimmingBlanks() }
        self = tags == ["*"] ? .any : .tags(tags)
    }

    /// Weak comparison.
    func matchesWeakly(_ tag: String) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains { ($0.hasPrefix("W/") ? $0.dropFirst(2) : $0) == tag }
        }
    }
}

extension HTTPFields {
    /// The versions that `If-Match` allows; nil when any will do. What is no strong tag of ours matches no version.
    var matchedVersions: [Int]? {
        switch EntityTagCondition(self[.ifMatch]) {
        case nil, .any: nil
        case .tags(let tags):
            tags.map { tag in
                tag.count > 2 && tag.first == "\"" && tag.last == "\""
                    ? Int(tag.dropFirst().dropLast()) ?? Self.noVersion : Self.noVersion
            }
        }
    }

    private static let noVersion = -1
}
