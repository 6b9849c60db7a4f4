import Glibc
import StructuredData
import Testing

@testable import APIServer

struct KubeconfigTests {
    @Test("a kubeconfig takes the place of its like only: anything else stays, and a link is followed")
    func kubeconfigInPlaceOf() throws {
        let folder = TemporaryFolder()
        let kubeconfig = Kubeconfig(server: "https://x:1", authorityPEM: "", user: .token("t"))
        func path(_ name: String) -> String { "\(folder.path)/\(name)" }
        mkfifo(path("fifo"), 0o600)
        mkdir(path("folder"), 0o700)
        try File(path("other"), .create).write(Array("contexts: [{name: production}]\n".utf8))
        symlink(path("nothing"), path("dangling"))
        for name in ["fifo", "folder", "other", "dangling"] {
            #expect(throws: StorageError.self, "\(name)") { try kubeconfig.write(to: path(name)) }
        }
        let fifo = StorageError.foreign(path: path("fifo"), what: "not a regular file")
        #expect(throws: fifo) { try kubeconfig.write(to: path("fifo")) }
        #expect("\(fifo)" == "\(path("fifo")) is not a regular file, and stays as it is: name another file")
        #expect(try Folder.names(in: folder.path) == ["dangling", "fifo", "folder", "other"])
        var status = stat()
        #expect(lstat(path("fifo"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)

        try File(path("real"), .create).write([])
        symlink(path("real"), path("link"))
        for server in ["https://x:1", "https://x:2"] {
            try Kubeconfig(server: server, authorityPEM: "", user: .token("t")).write(to: path("link"))
            let written = try YAML.parse(try File(path("real"), .read).readAll())[0]
            #expect(written["clusters"]?[0]?.at("cluster", "server")?.string == server)
        }
        #expect(lstat(path("link"), &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    }
}
