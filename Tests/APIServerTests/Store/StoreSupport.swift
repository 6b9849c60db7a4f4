import StructuredData

@testable import APIServer

let things = TableID(group: "test.example", plural: "things")

func thing(_ key: String, value: Int = 0, labels: [String: String] = [:]) -> EncodedObject {
    EncodedObject(
        key: key,
        object: [
            "metadata": ["name": .string(key), "labels": JSON(labels)], "value": JSON(value),
        ])
}

extension StoredObject {
    var json: JSON { (try? JSON(parsing: bytes)) ?? .null }
    var value: Int? { json["value"]?.int }
}

extension SortedObjects {
    var keys: [String] { map(\.key) }
    var values: [String: Int] { Dictionary(uniqueKeysWithValues: map { ($0.key, $0.value ?? -1) }) }
}
