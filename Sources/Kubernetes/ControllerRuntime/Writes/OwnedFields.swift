internal import KubernetesClient
internal import StructuredData

/// What a field manager owns of an object by server-side apply, as one number.
///
/// `metadata.managedFields` say which fields the manager owns; the digest covers these and the values that they have in
/// the object. It changes when somebody changes, removes or takes over one of them, and stays when the server fills in
/// defaults, when a webhook adds what is not ours and when a controller writes status.
enum OwnedFields {
    /// Of an object without an entry of `manager`, all but status and the metadata that the server keeps, so that an
    /// unknown state never passes for a known one.
    static func digest(of object: KubernetesObject, manager: String) -> UInt64 {
        var hasher = StableHasher()
        let entries = object.metadata["managedFields"]?.array ?? []
        let entry = entries.first {
            $0["manager"]?.string == manager && $0["operation"]?.string == "Apply"
                && ($0["subresource"]?.string ?? "").isEmpty
        }
        if let fields = entry?["fieldsV1"] {
            hash(fields, of: object.json, into: &hasher)
        } else {
            var rest = object.json
            rest["status"] = nil
            for field in ["managedFields", "resourceVersion", "generation"] { rest.set(nil, at: "metadata", field) }
            hasher.combine(rest)
        }
        return hasher.value
    }

    /// Of the whole of `json`, the order of object members aside.
    static func digest(of json: JSON) -> UInt64 {
        var hasher = StableHasher()
        hasher.combine(json)
        return hasher.value
    }

    /// `fields` is a set of paths in the form `fieldsV1`: `f:name` a member, `k:{…}` the list item with these keys,
    /// `v:…` the set item with this value, `i:n` the n-th item, `.` the node itself. A node without children is owned
    /// whole.
    private static func hash(_ fields: JSON, of value: JSON?, into hasher: inout StableHasher) {
        guard let value else { return hasher.combine("absent") }
        guard let members = fields.object, members.contains(where: { $0.0 != "." }) else {
            // Only its existence is owned where `.` stands alone: what is inside belongs to others.
            if fields["."] != nil { hasher.combine("present") } else { hasher.combine(value) }
            return
        }
        for (path, child) in members where path != "." {
            hasher.combine(path)
            hash(child, of: element(path, of: value), into: &hasher)
        }
        hasher.combine("end")
    }

    private static func element(_ path: String, of value: JSON) -> JSON? {
        guard path.utf8.dropFirst().first == UInt8(ascii: ":") else { return nil }
        let rest = Substring(path.utf8.dropFirst(2))
        switch path.utf8.first {
        case UInt8(ascii: "f"): return value[String(rest)]
        case UInt8(ascii: "i"): return Int(rest).flatMap { value[$0] }
        case UInt8(ascii: "v"):
            guard let wanted = try? JSON(parsing: rest) else { return nil }
            return value.array?.first { $0 == wanted }
        case UInt8(ascii: "k"):
            guard let keys = (try? JSON(parsing: rest))?.object else { return nil }
            return value.array?.first { item in keys.allSatisfy { item[$0.0] == $0.1 } }
        default: return nil
        }
    }
}

/// A digest of values, whatever the order of their members: the same in every process, so that it may be logged and
/// compared. Eight bytes at a time are multiplied and folded, as wyhash does.
struct StableHasher {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while rest.count >= 8 {
                fold(UInt64(littleEndian: rest.loadUnaligned(as: UInt64.self)))
                rest = UnsafeRawBufferPointer(rebasing: rest[8...])
            }
            fold(rest.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            fold(UInt64(bytes.count))  // keeps "a", "b" apart from "ab"
        }
    }

    mutating func combine(_ json: JSON) {
        switch json {
        case .null: fold(0)
        case .bool(let bool): fold(bool ? 1 : 2)
        case .number(let number):
            fold(3)
            combine(number.text)
        case .string(let string):
            fold(4)
            combine(string)
        case .array(let elements):
            fold(5)
            for element in elements { combine(element) }
            fold(UInt64(elements.count))
        case .object(let object):
            var members: UInt64 = 0
            for (key, value) in object {
                var member = StableHasher()
                member.combine(key)
                member.combine(value)
                members &+= member.value
            }
            fold(6)
            fold(members)
            fold(UInt64(object.count))
        }
    }

    private mutating func fold(_ word: UInt64) {
        let (high, low) = (value ^ word).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        value = high ^ low
    }
}
