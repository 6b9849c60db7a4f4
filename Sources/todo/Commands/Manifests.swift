import ArgumentParser
import FoundationEssentials
import StructuredData
import TodoOperator
import TodoResources

struct Manifests: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifests",
        abstract:
            "Print what runs the operator in a cluster, as YAML: todo manifests | kubectl apply --server-side -f -")

    @Option(name: .shortAndLong, help: "The namespace that the operator runs in.")
    var namespace = Installation().namespace

    @Option(help: "The one namespace whose TodoApps it looks after; else those of all.")
    var watchNamespace: String?

    @Flag(help: "Let it list and watch Secrets: changed ones are noticed at once, not within two minutes.")
    var watchSecrets = false

    @Option(help: "The image of the operator.")
    var image = Installation().image

    @Option(
        help: ArgumentHelp("Write the generated files of the repository in this folder instead.", visibility: .hidden))
    var writeTo: String?

    func validate() throws {
        let names: [(option: String, rule: NameRule, name: String?)] = [
            ("--namespace", .namespace, namespace), ("--watch-namespace", .namespace, watchNamespace),
            ("--image", .image, image),
        ]
        for (option, rule, name) in names {
            if let name, let fault = rule.fault(in: name) { throw ValidationError("\(option): \(fault)") }
        }
    }

    func run() throws {
        guard let writeTo else {
            var installation = Installation()
            installation.namespace = namespace
            installation.watchNamespace = watchNamespace
            installation.secrets = watchSecrets ? .watched : .byName
            installation.image = image
            return print(YAML.write(documents: installation.objects), terminator: "")
        }
        for (path, text) in GeneratedFiles.all {
            let file = URL(fileURLWithPath: writeTo).appending(path: path)
            do {
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file, options: .atomic)
            } catch {
                throw CommandFailure("cannot write \(file.path): \(error)")
            }
        }
    }
}
