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

/// FNV-1a over the text of values: the same in every process, so that a digest may be logged and compared.
struct StableHasher {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combine(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            for byte in bytes { combine(byte) }
        }
        combine(UInt8(0xff))  // cannot occur in UTF-8: keeps "a","b" apart from "ab"
    }

    mutating func combine(_ json: JSON) {
        switch json {
        case .null: combine(UInt8(ascii: "0"))
        case .bool(let bool): combine(UInt8(ascii: bool ? "t" : "f"))
        case .number(let number):
            combine(UInt8(ascii: "n"))
            combine(number.text)
        case .string(let string):
            combine(UInt8(ascii: "s"))
            combine(string)
        case .array(let elements):
            combine(UInt8(ascii: "["))
            for element in elements { combine(element) }
            combine(UInt8(ascii: "]"))
        case .object(let object):
            combine(UInt8(ascii: "{"))
            if object.hasSortedKeys {
                for (key, value) in object { combine(key, value) }
            } else {
                for (key, value) in object.sorted(by: { $0.key < $1.key }) { combine(key, value) }
            }
            combine(UInt8(ascii: "}"))
        }
    }

    private mutating func combine(_ key: String, _ value: JSON) {
        combine(key)
        combine(value)
    }

    private mutating func combine(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
}

extension JSONObject {
    /// As nearly all have that a server or a literal of ours wrote: to look is cheaper than to sort.
    fileprivate var hasSortedKeys: Bool {
        var last = ""
        for (key, _) in self {
            guard last <= key else { return false }
            last = key
        }
        return true
    }
}
