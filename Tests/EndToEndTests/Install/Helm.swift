import Foundation
import StructuredData
import Testing

/// Helm, for the chart of this repository: the program on PATH, else the engine of the Python package that
/// `make setup-test` installs.
struct Helm: Sendable {
    struct Refusal: Error, CustomStringConvertible { let description: String }

    static let chart = Command.repository.appending(path: "charts/todo-operator").path
    static let installed: Helm? = {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        if let helm = path.map({ "\($0)/helm" }).first(where: FileManager.default.isExecutableFile) {
            return Helm(program: [helm])
        }
        let libraries = Command.repository.appending(path: ".build/python/lib").path
        let pythons = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
        guard
            pythons.contains(where: {
                FileManager.default.fileExists(atPath: "\(libraries)/\($0)/site-packages/helm_python")
            })
        else { return nil }
        let script = Command.repository.appending(path: "Tests/EndToEndTests/Scripts/helm.py").path
        return Helm(program: [OtherClientsTests.python, script])
    }()

    private let program: [String]
    private var isScript: Bool { program.count > 1 }

    /// The objects that the chart gives with these values, as release `release` in `namespace`.
    ///
    /// - Throws: `Refusal` when the values do not fit the chart's schema.
    func template(
        _ values: JSON, release: String = "todo-operator", namespace: String = "todo-system"
    ) async throws -> [JSON] {
        let arguments =
            isScript
            ? ["template", Self.chart, release, namespace]
            : ["template", release, Self.chart, "--namespace", namespace, "--values", "-"]
        let text = try await run(arguments, input: values.text)
        return try YAML.parse(text).filter { !$0.isNull }
    }

    func upgrade(_ values: JSON, kubeconfig: String) async throws {
        let arguments =
            isScript
            ? ["upgrade", Self.chart, "todo-operator", "todo-system"]
            : ["upgrade", "--install", "todo-operator", Self.chart, "--namespace", "todo-system", "--values", "-"]
        _ = try await run(arguments, input: values.text, kubeconfig: kubeconfig)
    }

    func uninstall(kubeconfig: String) async throws {
        let arguments =
            isScript
            ? ["uninstall", "todo-operator", "todo-system"]
            : ["uninstall", "todo-operator", "--namespace", "todo-system"]
        _ = try await run(arguments, kubeconfig: kubeconfig)
    }

    private func run(_ arguments: [String], input: String = "", kubeconfig: String = "") async throws -> String {
        let result = try await Command.run(
            program[0], program.dropFirst() + arguments, input: input,
            environment: ["KUBECONFIG": kubeconfig, "HOME": TestRun.folder.path])
        guard result.status == 0 else { throw Refusal(description: result.err) }
        return result.out
    }
}

extension Trait where Self == ConditionTrait {
    static var needsHelm: Self {
        .enabled(if: Helm.installed != nil, "neither helm nor the Python package helm-python-sdk is here")
    }
}
