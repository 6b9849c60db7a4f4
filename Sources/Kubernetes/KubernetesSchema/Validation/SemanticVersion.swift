/// A version by semver.org 2.0.0.
struct SemanticVersion: Sendable, Comparable {
    let major: Int
    let minor: Int
    let patch: Int
    let prerelease: [String]

    /// - Parameter isNormalizing: accept `v1.2`: a `v` before it, parts left out, leading zeros.
    init?(_ text: String, isNormalizing: Bool = false) {
        var rest = Substring(text)
        if isNormalizing, rest.first == "v" { rest.removeFirst() }
        if let plus = rest.firstIndex(of: "+") {
            guard Self.identifiers(rest[rest.index(after: plus)...]) != nil else { return nil }
            rest = rest[..<plus]
        }
        var prerelease: [String] = []
        if let dash = rest.firstIndex(of: "-") {
            guard let parts = Self.identifiers(rest[rest.index(after: dash)...]) else { return nil }
            let hasLeadingZero = parts.contains { $0.count > 1 && $0.first == "0" && Int($0) != nil }
            if hasLeadingZero { return nil }
            prerelease = parts
            rest = rest[..<dash]
        }
        var numbers: [Int] = []
        for part in rest.split(separator: ".", omittingEmptySubsequences: false) {
            guard part.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(part),
                isNormalizing || part.count == 1 || part.first != "0"
            else { return nil }
            numbers.append(number)
        }
        while isNormalizing, numbers.count < 3, !numbers.isEmpty { numbers.append(0) }
        guard numbers.count == 3 else { return nil }
        (major, minor, patch) = (numbers[0], numbers[1], numbers[2])
        self.prerelease = prerelease
    }

    private static func identifiers(_ text: Substring) -> [String]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let isValid = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        }
        return isValid ? parts : nil
    }

    static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        let first = (left.major, left.minor, left.patch)
        let second = (right.major, right.minor, right.patch)
        if first != second { return first < second }
        // A version without prerelease comes after those with one.
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (one, other) in zip(left.prerelease, right.prerelease) where one != other {
            switch (Int(one), Int(other)) {
            case (let one?, let other?): return one < other
            case (_?, nil): return true
            case (nil, _?): return false
            case (nil, nil): return one < other
            }
        }
        return left.prerelease.count < right.prerelease.count
    }
}
