/// A regular expression in RE2's syntax, matched in time proportional to text times pattern: no text can make it hang.
///
/// Kubernetes' patterns are RE2's (Go's `regexp`). Not supported: script classes such as `\p{Greek}` and POSIX
/// leftmost-longest matching.
struct RegularExpression: Sendable, Hashable {
    struct SyntaxError: Error, Hashable {
        /// Worded as Go does: ``missing closing ): `(a` ``.
        let message: String
    }

    let text: String
    private let program: RegexProgram

    init(_ text: String) throws(SyntaxError) {
        var parser = RegexParser(text)
        let tree = try parser.parse()
        self.text = text
        program = try RegexProgram(tree)
    }

    /// Whether the expression matches somewhere in `subject`.
    func matches(_ subject: String) -> Bool {
        var matcher = RegexMatcher(program)
        return matcher.firstMatch(in: Array(subject.unicodeScalars), from: 0, wantsBounds: false) != nil
    }

    /// The leftmost matches in `subject`, none overlapping, at most `limit` (nil: all).
    func find(in subject: String, limit: Int?) -> [String] {
        let scalars = Array(subject.unicodeScalars)
        var matcher = RegexMatcher(program)
        var found: [String] = []
        var position = 0
        var end = -1
        while position <= scalars.count, found.count < limit ?? .max,
            let range = matcher.firstMatch(in: scalars, from: position, wantsBounds: true)
        {
            // An empty match right behind another is none, as in Go.
            if !range.isEmpty || range.lowerBound != end {
                var match = String.UnicodeScalarView()
                match.append(contentsOf: scalars[range])
                found.append(String(match))
                end = range.upperBound
            }
            position = range.isEmpty ? range.upperBound + 1 : range.upperBound
        }
        return found
    }

    static func == (left: Self, right: Self) -> Bool { left.text == right.text }
    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// The syntax tree of a regular expression.
indirect enum RegexNode: Sendable {
    case empty
    case set(RegexSet)
    case assertion(RegexAssertion)
    case sequence([RegexNode])
    case choice([RegexNode])
    case repetition(RegexNode, minimum: Int, maximum: Int?, isGreedy: Bool)
}

enum RegexAssertion: Sendable {
    case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
}

/// A set of characters: ranges and general categories, perhaps turned round.
struct RegexSet: Sendable {
    struct Category: Sendable {
        let categories: Set<Unicode.GeneralCategory>
        let isNegated: Bool
    }

    var ranges: [ClosedRange<UInt32>] = []
    var categories: [Category] = []
    var isNegated = false

    init(_ ranges: [ClosedRange<UInt32>] = [], isNegated: Bool = false) {
        self.ranges = ranges
        self.isNegated = isNegated
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        for range in ranges where range.contains(value) { return !isNegated }
        for category in categories
        where category.categories.contains(scalar.properties.generalCategory) != category.isNegated {
            return !isNegated
        }
        return isNegated
    }

    /// The set with the other case of each letter; of ASCII and of letters whose other case is one character.
    func foldingCase() -> RegexSet {
        var folded = self
        for range in ranges {
            // Whole-alphabet ranges beyond this are rare, and walking them would cost more than it brings.
            guard range.count <= 1024 else {
                folded.ranges += [0x41...0x5A, 0x61...0x7A]
                continue
            }
            for value in range {
                guard let properties = Unicode.Scalar(value)?.properties else { continue }
                for other in [properties.lowercaseMapping, properties.uppercaseMapping] {
                    let scalars = other.unicodeScalars
                    if scalars.count == 1, let scalar = scalars.first, scalar.value != value {
                        folded.ranges.append(scalar.value...scalar.value)
                    }
                }
            }
        }
        return folded
    }
}
