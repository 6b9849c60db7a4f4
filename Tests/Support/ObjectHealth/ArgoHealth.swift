internal import ChildProcess
internal import Foundation
public import StructuredData

/// What Argo CD makes of our objects: the script that we give it, run by a real Lua.
public struct ArgoHealth: Sendable, Equatable {
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`
    public let status: String
    public let message: String

    /// Nil where there is no Lua.
    public static let lua = try? ChildProcess.find("lua5.4", in: ProcessInfo.processInfo.environment["PATH"] ?? "")

    public struct Failure: Error, CustomStringConvertible { public let description: String }

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "manifests/gitops/argocd/health/todo.lua")

    /// Of each of the objects, in their order.
    public static func judge(_ objects: [JSON]) async throws -> [ArgoHealth] {
        guard let lua else { throw Failure(description: "lua5.4 is missing") }
        let program = """
            local objects = \(literal(.array(objects)))
            for _, obj in ipairs(objects) do
              local health = (function() \(try String(contentsOf: script, encoding: .utf8)) end)()
              io.write(health.status, "\\n", (string.gsub(health.message, "\\n", " ")), "\\n")
            end
            """
        let file = FileManager.default.temporaryDirectory.appending(path: "health-\(UUID().uuidString).lua")
        try program.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let specification = ChildProcess.Specification(path: lua, arguments: [file.path])
        guard
            case .ended(.exited(0), let output) = try await ChildProcess.capture(specification, deadline: .seconds(20))
        else { throw Failure(description: "lua failed over \(objects.map(\.text))") }
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return stride(from: 0, to: objects.count * 2, by: 2).map {
            ArgoHealth(status: String(lines[$0]), message: String(lines[$0 + 1]))
        }
    }

    /// The value as Lua writes it.
    private static func literal(_ value: JSON) -> String {
        if value.isNull { return "nil" }
        if let object = value.object {
            return "{\(object.map { "[\(quoted($0.key))] = \(literal($0.value))" }.joined(separator: ", "))}"
        }
        if let array = value.array { return "{\(array.map(literal).joined(separator: ", "))}" }
        return value.string.map(quoted) ?? value.text
    }

    private static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n"))\""
    }
}
