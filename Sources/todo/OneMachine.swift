import Glibc
import LocalCluster
import LocalPostgres
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
        configuration.runsStandIns = true
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

    /// - Throws: when a port that is wanted cannot be had; 0 can always.
    static func checkPorts(_ ports: [(option: String, port: Int)]) throws(CommandFailure) {
        for (option, port) in ports where port > 0 {
            guard let obstacle = LoopbackPort.obstacle(port) else { continue }
            throw CommandFailure(
                "port \(port) of 127.0.0.1 cannot be used: \(obstacle); choose another with \(option), 0 for any")
        }
    }

    private static let isTerminal = isatty(STDOUT_FILENO) == 1
    /// Takes what `progress` wrote off the terminal.
    private static let startOfLine = isTerminal ? "\r\u{1B}[2K" : ""

    /// Prints a line at once, also into a pipe.
    static func say(_ text: String) {
        print(startOfLine + text)
        fflush(nil)
    }

    /// Says how far it is: on a terminal in a line that the next one takes the place of.
    static func progress(_ text: String) {
        guard isTerminal else { return say(text) }
        var size = winsize()
        let columns = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
        print(startOfLine + text.prefix(columns - 1), terminator: "")
        fflush(nil)
    }
}
