import Foundation
import Testing

@testable import LocalCluster

@Suite struct ScratchFolderTests {
    @Test func whatAKilledProcessLeftIsRemovedAndWhatIsInUseStays() throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "scratch-\(UInt64.random(in: 0 ... .max))")
            .path
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let first = try ScratchFolder(in: parent)
        #expect(first.path.hasPrefix("\(parent)/todo-cluster-"))
        var template = Array("\(parent)/todo-cluster-XXXXXX".utf8CString)
        let abandoned = String(cString: try #require(mkdtemp(&template)))
        try FileManager.default.createDirectory(atPath: "\(abandoned)/pod", withIntermediateDirectories: false)
        try "line".write(toFile: "\(abandoned)/pod/0.log", atomically: false, encoding: .utf8)
        let second = try ScratchFolder(in: parent)
        #expect(!FileManager.default.fileExists(atPath: abandoned))
        for folder in [first, second] {
            #expect(FileManager.default.fileExists(atPath: folder.path))
            folder.remove()
            #expect(!FileManager.default.fileExists(atPath: folder.path))
        }
    }
}
