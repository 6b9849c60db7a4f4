import ArgumentParser
import StructuredData
import TodoResources

struct CRDs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crds", abstract: "Print the CustomResourceDefinitions as YAML: todo crds | kubectl apply -f -")

    func run() {
        print(YAML.write(documents: CustomResourceDefinitions.all), terminator: "")
    }
}
