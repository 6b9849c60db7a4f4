import KubernetesSchema
import StructuredData

/// The input is a rule, and behind a zero byte the object that it judges.
func checkCEL(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    guard let rule = try? CELPredicate(String(decoding: parts[0], as: UTF8.self), variable: "self") else { return }
    let object = parts.count > 1 ? try? JSON(parsing: parts[1]) : nil
    _ = try? rule.holds(for: object ?? ["name": "a", "count": 1, "list": [1, 2, 3], "when": "2026-01-31T09:26:53Z"])
}
