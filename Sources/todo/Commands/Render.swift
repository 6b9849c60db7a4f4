import ArgumentParser
import KubernetesClient
import StructuredData
import TodoOperator
import TodoResources

struct Render: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract:
            "Print the objects that the operator would make for the resources in FILE, as YAML, without a cluster.")

    @Option(name: .shortAndLong, help: "The file with the resources; - reads standard input.")
    var file: String

    @Option(name: .shortAndLong, help: "The namespace of resources that name none.")
    var namespace = "default"

    func run() throws {
        var rendered: [JSON] = []
        for (number, document) in try ResourceFile.read(file).enumerated() {
            var resource = document
            guard resource["kind"]?.string == TodoGroup.todoApp.kind else {
                let kind = resource["kind"]?.string ?? "an object without kind"
                throw CommandFailure(
                    "\(file), object \(number + 1): \(kind) is not a kind that the operator makes objects for; use TodoApp"
                )
            }
            if resource.at("metadata", "namespace") == nil {
                resource.set(.string(namespace), at: "metadata", "namespace")
            }
            do {
                let app = try TodoApp(validating: resource)
                rendered += DesiredState.children(of: app, inputs: DesiredStateInputs())
            } catch {
                throw CommandFailure("\(file), object \(number + 1): \(error)")
            }
        }
        print(YAML.write(documents: rendered), terminator: "")
    }
}
