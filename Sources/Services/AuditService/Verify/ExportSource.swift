internal import Concurrency
internal import Glibc

/// Where an export is read from.
public protocol ExportSource: Sendable {
    /// Fills the front of `buffer`; returns how many bytes, zero at the end. It may block.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A file, or standard input.
public final class ExportFile: ExportSource {
    private let descriptor: Int32

    /// Opens the file at `path`; `-` is standard input.
    public init(path: String) throws(ExportFileError) {
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ExportFileError("cannot open \(path): \(String(cString: strerror(errno)))") }
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else {
                throw ExportFileError("cannot read the export: \(String(cString: strerror(errno)))")
            }
        }
    }
}

/// The export cannot be read, or there is none.
public struct ExportFileError: Error, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

/// Cuts a source into pieces that end with a line.
struct LinePieces: Sendable {
    static let usualSize = 4 << 20

    private let source: any ExportSource
    private let longestLine: Int
    /// The beginning of a line whose end has not been read.
    private(set) var carried: [UInt8] = []

    private var returned: [UInt8] = []

    /// - Parameter longestLine: beyond, `next` throws; the largest event is some megabytes.
    init(_ source: any ExportSource, longestLine: Int = 256 << 20) {
        self.source = source
        self.longestLine = longestLine
    }

    /// Has `next` give these lines next.
    mutating func putBack(_ lines: [UInt8]) { returned = lines }

    /// The next lines; nil at the end, when `carried` holds what is left of a line that was cut off.
    mutating func next() async throws -> [UInt8]? {
        if !returned.isEmpty {
            defer { returned = [] }
            return returned
        }
        let current = self
        let read = try await runBlocking { try current.read() }
        carried = read.rest
        return read.piece
    }

    private struct Piece: Sendable {
        let piece: [UInt8]?
        let rest: [UInt8]
    }

    private func read() throws -> Piece {
        var size = carried.count + Self.usualSize
        var bytes = carried
        while true {
            bytes = try fill(size, from: bytes)
            if let end = bytes.lastIndex(of: UInt8(ascii: "\n")) {
                let rest = Array(bytes[(end + 1)...])
                bytes.removeSubrange((end + 1)...)
                return Piece(piece: bytes, rest: rest)
            }
            guard bytes.count == size else { return Piece(piece: nil, rest: bytes) }
            guard size < longestLine else { throw ExportFileError("this is no export: a line never ends") }
            size *= 2
        }
    }

    /// `start` and what follows it, `size` bytes in all or, at the end of the source, fewer.
    private func fill(_ size: Int, from start: [UInt8]) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = buffer.update(fromContentsOf: start)
            while count < size {
                let room = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                let added = try source.read(into: room)
                if added == 0 { return }
                count += added
            }
        }
    }
}
