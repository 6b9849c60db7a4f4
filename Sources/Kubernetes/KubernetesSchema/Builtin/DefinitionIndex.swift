internal import StructuredData

/// Where each definition stands in the embedded text, found line by line: parsing 750 KB to use a few would be waste.
struct DefinitionIndex {
    var names: [String] = []
    var ranges: [String: Range<Int>] = [:]
    var definitionOfKind: [String: String] = [:]
    var resources: [BuiltinDefinitions.Resource] = []

    private enum Section {
        case definitions, kinds, resources
    }

    init(_ text: UnsafeBufferPointer<UInt8>) {
        var section = Section.definitions
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
            let line = start..<end
            start = end + 1
            if text[line].starts(with: #"},"kinds""#.utf8) {
                section = .kinds
            } else if text[line].starts(with: #"},"resources""#.utf8) {
                section = .resources
            } else {
                // The comma that parts this member from the next is not part of it.
                let isFollowed = text[line].last == UInt8(ascii: ",")
                add(line.lowerBound..<(isFollowed ? line.upperBound - 1 : line.upperBound), of: text, in: section)
            }
        }
    }

    private mutating func add(_ line: Range<Int>, of text: UnsafeBufferPointer<UInt8>, in section: Section) {
        if section == .resources {
            if let json = try? JSON(parsing: Array(text[line])), let resource = BuiltinDefinitions.Resource(json) {
                resources.append(resource)
            }
            return
        }
        let quote = UInt8(ascii: "\"")
        guard text[line].first == quote, let close = text[line].dropFirst().firstIndex(of: quote) else { return }
        let name = String(decoding: text[(line.lowerBound + 1)..<close], as: UTF8.self)
        let value = (close + 2)..<line.upperBound
        if section == .definitions {
            names.append(name)
            ranges[name] = value
        } else {
            definitionOfKind[name] = String(decoding: text[value].dropFirst().dropLast(), as: UTF8.self)
        }
    }

    static let referencePrefix = "#/components/schemas/"

    /// The definitions that a definition's text refers to.
    static func references(in text: Slice<UnsafeBufferPointer<UInt8>>) -> [String] {
        let marker = Array("\"$ref\":\"\(referencePrefix)".utf8)
        var found: [String] = []
        var rest = text
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            let candidate = text[(dollar - 1)...]
            rest = text[(dollar + 1)...]
            guard candidate.starts(with: marker) else { continue }
            let name = candidate.dropFirst(marker.count).prefix { $0 != UInt8(ascii: "\"") }
            found.append(String(decoding: name, as: UTF8.self))
        }
        return found
    }
}

extension BuiltinDefinitions.Resource {
    fileprivate init?(_ json: JSON) {
        guard let group = json["group"]?.string, let version = json["version"]?.string,
            let plural = json["plural"]?.string, let kind = json["kind"]?.string
        else { return nil }
        self.init(
            group: group, version: version, plural: plural, kind: kind, namespaced: json["namespaced"]?.bool ?? false,
            verbs: json["verbs"]?.array?.compactMap(\.string) ?? [],
            subresources: json["subresources"]?.array?.compactMap(BuiltinDefinitions.Subresource.init) ?? [])
    }
}

extension BuiltinDefinitions.Subresource {
    fileprivate init?(_ json: JSON) {
        guard let name = json["name"]?.string, let group = json["group"]?.string,
            let version = json["version"]?.string, let kind = json["kind"]?.string
        else { return nil }
        self.init(
            name: name, group: group, version: version, kind: kind,
            verbs: json["verbs"]?.array?.compactMap(\.string) ?? [])
    }
}
