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
            if resource.at("metadata", "namespace") == nil {
                resource.set(.string(namespace), at: "metadata", "namespace")
            }
            do { rendered += try render(resource) } catch {
                throw CommandFailure("\(file), object \(number + 1): \(error)")
            }
        }
        print(YAML.write(documents: rendered), terminator: "")
    }

    private func render(_ resource: JSON) throws -> [JSON] {
        switch resource["kind"]?.string {
        case TodoGroup.todoApp.kind:
            return DesiredState.children(of: try TodoApp(validating: resource), inputs: DesiredStateInputs())
        case TodoGroup.reminderSchedule.kind:
            // It becomes a policy in the database of its app, and no object.
            _ = try ReminderSchedule(validating: resource)
            return []
        default:
            let kind = resource["kind"]?.string ?? "an object without kind"
            throw CommandFailure(
                "\(kind) is not a kind that the operator makes objects for; use TodoApp or ReminderSchedule")
        }
    }
}
