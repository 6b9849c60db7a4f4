import StructuredData

/// What was read is written, and read as the same again.
func checkJSON(_ bytes: [UInt8]) {
    let outline = try? JSONOutline(of: bytes, levels: 2)
    guard let value = try? JSON(parsing: bytes) else { return check(outline == nil, "an outline of what is no JSON") }
    check(outline.flatMap { try? JSON(parsing: bytes[$0.range]) } == value, "outlined")
    check((try? JSON(parsing: value.encoded())) == value, "encoded")
    check((try? JSON(parsing: value.encoded(sortedKeys: true))) == value, "encoded with sorted keys")
    check((try? JSON(parsing: value.prettyText)) == value, "pretty")
    guard let canonical = try? value.canonical() else { return }
    check((try? JSON(parsing: canonical).canonical()) == canonical, "canonical")
}

func checkYAML(_ bytes: [UInt8]) {
    guard let documents = try? YAML.parse(bytes) else { return }
    let written = YAML.write(documents: documents)
    check((try? YAML.parse(written)) == documents, "written as \(written.debugDescription)")
}

/// The input is `[a document, another one, a JSON patch]`.
func checkPatch(_ bytes: [UInt8]) {
    guard let parts = try? JSON(parsing: bytes).array, parts.count >= 2 else { return }
    let difference = MergePatch.diff(from: parts[0], to: parts[1])
    // A merge patch cannot set a member to null.
    if !parts[1].hasNullMember {
        check(MergePatch.apply(difference, to: parts[0]) == parts[1], "the difference is \(difference.text)")
    }
    guard parts.count > 2, let result = try? JSONPatch(parts[2]).apply(to: parts[0]) else { return }
    check((try? JSON(parsing: result.encoded())) == result, "patched")
}

extension JSON {
    fileprivate var hasNullMember: Bool {
        object?.contains { $1.isNull || $1.hasNullMember } ?? false
    }
}
