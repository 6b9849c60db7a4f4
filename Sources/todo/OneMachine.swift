import Glibc
import LocalCluster
import Logging
import TodoResources

/// What `todo up` and `todo cluster` have in common: a cluster whose pods run this very program.
enum OneMachine {
    static func cluster(dataFolder: String?, port: Int, kubeconfig: String, logger: Logger) async throws -> LocalCluster
    {
        var configuration = LocalCluster.Configuration()
        configuration.dataFolder = dataFolder
        configuration.port = port
        configuration.kubeconfigPath = kubeconfig
        configuration.programs = [imageName: try executable()]
        return try await LocalCluster(configuration: configuration, logger: logger)
    }

    /// The image without its tag: on one machine every version of it is this program.
    private static var imageName: String {
        String(ProductVersion.image.prefix { $0 != ":" })
    }

    private static func executable() throws(CommandFailure) -> String {
        guard let path = realpath("/proc/self/exe", nil) else {
            throw CommandFailure("cannot find this program: \(String(cString: strerror(errno)))")
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// Prints a line at once, also into a pipe.
    static func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}
