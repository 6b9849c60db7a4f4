internal import StructuredData

extension EncodedObject {
    /// Encodes `object`; any `metadata.resourceVersion` in it is dropped, the commit sets it.
    init(key: String, object: JSON) {
        var head: [UInt8] = []
        head.reserveCapacity(1024)
        var labels: [String: String] = [:]
        var split = 0
        head.append(UInt8(ascii: "{"))
        for (index, (name, value)) in (object.object ?? JSONObject()).enumerated() {
            if index > 0 { head.append(UInt8(ascii: ",")) }
            head.appendString(name)
            head.append(UInt8(ascii: ":"))
            if name == "metadata", let metadata = value.object {
                split = Self.write(metadata, into: &head)
                labels = Self.labels(metadata["labels"])
            } else {
                value.write(into: &head)
            }
        }
        head.append(UInt8(ascii: "}"))
        self.init(key: key, labels: labels, head: Array(head[..<split]), tail: Array(head[split...]))
    }

    /// Writes the metadata with an empty resourceVersion and returns the offset inside its quotes.
    private static func write(_ metadata: JSONObject, into bytes: inout [UInt8]) -> Int {
        bytes.append(contentsOf: #"{"resourceVersion":""#.utf8)
        let split = bytes.count
        bytes.append(UInt8(ascii: "\""))
        for (name, value) in metadata where name != "resourceVersion" {
            bytes.append(UInt8(ascii: ","))
            bytes.appendString(name)
            bytes.append(UInt8(ascii: ":"))
            value.write(into: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
        return split
    }

    private static func labels(_ json: JSON?) -> [String: String] {
        guard let object = json?.object, !object.isEmpty else { return [:] }
        var result: [String: String] = [:]
        for (key, value) in object { result[key] = value.string ?? "" }
        return result
    }
}

extension [UInt8] {
    /// Appends `text` as a JSON string.
    mutating func appendString(_ text: String) { JSON.string(text).write(into: &self) }
}
