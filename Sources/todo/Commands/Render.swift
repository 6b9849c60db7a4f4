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
        let resources = try ResourceFile.read(file).map { document in
            var resource = document
            if resource.at("metadata", "namespace") == nil {
                resource.set(.string(namespace), at: "metadata", "namespace")
            }
            return resource
        }
        guard resources.contains(where: Self.isOurs) else {
            throw CommandFailure("\(file) holds nothing that the operator makes objects for; \(Self.advice)")
        }
        let bindings = resources.filter { $0["kind"]?.string == TodoGroup.kafkaTopicBinding.kind }
            .compactMap { try? KafkaTopicBinding(validating: $0) }
        var rendered: [JSON] = []
        // What else the file has for kubectl, such as Namespaces and Secrets, is not the operator's.
        for (number, resource) in resources.enumerated() where Self.isOurs(resource) {
            do { rendered += try render(resource, bindings) } catch {
                throw CommandFailure("\(file), object \(number + 1): \(error)")
            }
        }
        print(YAML.write(documents: rendered), terminator: "")
    }

    private static let kinds = [TodoGroup.todoApp, TodoGroup.kafkaTopicBinding, TodoGroup.reminderSchedule].map(\.kind)
    private static let advice = "use TodoApp, KafkaTopicBinding or ReminderSchedule"

    private static func isOurs(_ resource: JSON) -> Bool {
        resource["apiVersion"]?.string?.hasPrefix("\(TodoGroup.name)/") == true
            || kinds.contains(resource["kind"]?.string ?? "")
    }

    private func render(_ resource: JSON, _ bindings: [KafkaTopicBinding]) throws -> [JSON] {
        switch resource["kind"]?.string {
        case TodoGroup.todoApp.kind:
            let app = try TodoApp(validating: resource)
            let own = bindings.filter {
                $0.spec.appRef.name == app.metadata.name && $0.metadata.namespace == app.metadata.namespace
            }
            return DesiredState.children(of: app, inputs: DesiredStateInputs(bindings: own))
        case TodoGroup.kafkaTopicBinding.kind:
            // What it asks for is among the objects of its app.
            _ = try KafkaTopicBinding(validating: resource)
            return []
        case TodoGroup.reminderSchedule.kind:
            // It becomes a policy in the database of its app, and no object.
            _ = try ReminderSchedule(validating: resource)
            return []
        default:
            let kind = resource["kind"]?.string ?? ""
            throw CommandFailure("\(kind) is not a kind that the operator makes objects for; \(Self.advice)")
        }
    }
}
