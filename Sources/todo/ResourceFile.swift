import Glibc
import StructuredData

/// The objects in a YAML or JSON file. Those of a list, such as `kubectl get -o yaml` prints, stand for themselves.
enum ResourceFile {
    /// - Parameter path: `-` reads standard input.
    /// - Throws: `CommandFailure` that names the file and the line.
    static func read(_ path: String) throws(CommandFailure) -> [JSON] {
        let text = try bytes(of: path)
        let documents: [JSON]
        do {
            documents = try YAML.parse(text).filter { !$0.isNull }.flatMap(objects)
        } catch {
            throw CommandFailure("\(path): \(error)")
        }
        guard !documents.isEmpty else { throw CommandFailure("\(path) holds no object") }
        for (number, document) in documents.enumerated() {
            for field in [["apiVersion"], ["kind"], ["metadata", "name"]] {
                let value = field.reduce(Optional(document)) { $0?[$1] }?.string ?? ""
                guard value.isEmpty else { continue }
                throw CommandFailure("\(path), object \(number + 1): \(field.joined(separator: ".")) is missing")
            }
        }
        return documents
    }

    private static func objects(in document: JSON) -> [JSON] {
        guard document["kind"]?.string?.hasSuffix("List") == true, let items = document["items"]?.array else {
            return [document]
        }
        return items
    }

    private static func bytes(of path: String) throws(CommandFailure) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CommandFailure("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { if path != "-" { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw CommandFailure("cannot read \(path): \(String(cString: strerror(errno)))") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<count])
        }
    }
}
