import Foundation
import Testing

@testable import LocalCluster

@Suite struct ScratchFolderTests {
    @Test func whatAKilledProcessLeftIsRemovedAndWhatIsInUseStays() throws {
        let first = try ScratchFolder()
        var template = Array("/tmp/todo-cluster-XXXXXX".utf8CString)
        let abandoned = String(cString: try #require(mkdtemp(&template)))
        try FileManager.default.createDirectory(atPath: "\(abandoned)/pod", withIntermediateDirectories: false)
        try "line".write(toFile: "\(abandoned)/pod/0.log", atomically: false, encoding: .utf8)
        let second = try ScratchFolder()
        #expect(!FileManager.default.fileExists(atPath: abandoned))
        for folder in [first, second] {
            #expect(FileManager.default.fileExists(atPath: folder.path))
            folder.remove()
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }
}
