/// Checks an export while it is written, in whole lines, as `ExportVerifier` does one that is read.
struct ExportCheck {
    private var checkpoints = CheckpointChain(trusted: nil, kept: nil)
    private var rows: RowChecker?
    private var lines = 0

    mutating func take(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while rows == nil, !rest.starts(with: ExportRow.opening.bytes), let line = rest.nextLine() {
                lines += 1
                try checkpoints.add(line: line, number: lines)
            }
            guard !rest.isEmpty else { return }
            try checkRows { try $0.check(rest) }
        }
    }

    /// Called when there is no more.
    mutating func finish() throws { try checkRows { try $0.checkEnd(line: $0.lines + 1) } }

    private mutating func checkRows(_ body: (inout RowChecker) throws -> Void) throws {
        var checker: RowChecker
        if let rows {
            checker = rows
        } else {
            _ = try checkpoints.finish(line: lines + 1)
            checker = RowChecker(checkpoints: checkpoints, after: checkpoints.start)
        }
        do { try body(&checker) } catch let fault as ExportFault { throw fault.moved(by: lines) }
        rows = checker
    }
}
