import ArgumentParser
import AuditService
import FoundationEssentials
import Glibc
import StructuredData

struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Work with exports of the audit log.", subcommands: [AuditVerify.self])
}

struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Check an export of the audit log; name the first bad row.",
        discussion: """
            An export holds every row that its newest checkpoint covers. A row or checkpoint that was changed, removed, \
            moved or inserted is found without more. Two things need what only you have: --public-key shows that the \
            checkpoints were signed by your log and not by somebody else's; --checkpoint, with a checkpoint that you kept \
            (GET /v1/audit/checkpoints), shows that the log was not cut back to an earlier one. A log that dropped what is \
            older than it keeps says so by its signature, and is checked from there on. What was done to rows \
            before a checkpoint covered them, which is within a minute, cannot be found.
            """)

    @Option(name: .shortAndLong, help: "The export, of GET /v1/audit/export; - reads standard input.")
    var file: String

    @Option(
        name: .customLong("public-key"),
        help: "An Ed25519 key that may have signed checkpoints, in Base64; several if it was ever changed.")
    var publicKeys: [String] = []

    @Option(help: "A file with a checkpoint that you kept, as JSON; the export must contain it.")
    var checkpoint: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    func run() async throws {
        let verifier = ExportVerifier(trusted: try trusted(), kept: try kept())
        do {
            let summary = try await verifier.verify(try ExportFile(path: file))
            print(json ? summary.json.text : summary.text(isTrusted: !publicKeys.isEmpty))
        } catch let fault as ExportFault {
            guard json else { throw CommandFailure("\(file), \(fault)") }
            print(fault.json.text)
            throw ExitCode.failure
        }
    }

    private func trusted() throws -> Set<[UInt8]>? {
        guard !publicKeys.isEmpty else { return nil }
        return Set(
            try publicKeys.map { text in
                guard let key = Data(base64Encoded: text), key.count == 32 else {
                    throw ValidationError("--public-key \(text) is not 32 bytes in Base64")
                }
                return Array(key)
            })
    }

    private func kept() throws -> SignedCheckpoint? {
        guard let checkpoint else { return nil }
        let text = try? String(contentsOf: URL(fileURLWithPath: checkpoint), encoding: .utf8)
        guard let text else { throw CommandFailure("cannot read \(checkpoint)") }
        let json = try? JSON(parsing: text)
        // A list, newest first, when it is an answer of the log as it is.
        guard let kept = (json?["items"]?[0] ?? json).flatMap({ SignedCheckpoint($0) }), kept.isSigned else {
            throw CommandFailure(
                "\(checkpoint) is not a checkpoint of an audit log; keep what GET /v1/audit/checkpoints answers")
        }
        return kept
    }
}

extension ExportVerifier.Summary {
    fileprivate var json: JSON {
        [
            "ok": true, "rows": JSON(rows), "checkpoints": JSON(checkpoints),
            "since": since.map { ["index": JSON($0.index), "time": $0.json["time"] ?? .null] } ?? .null,
            "newest": ["index": JSON(newest.index), "time": newest.json["time"] ?? .null],
            "publicKeys": .array(keys.map { .string(Data($0).base64EncodedString()) }),
        ]
    }

    private var beginning: String {
        guard let since else { return "" }
        return
            " after checkpoint \(since.index) of \(since.json["time"]?.string ?? ""): what came before was dropped by the log"
    }

    fileprivate func text(isTrusted: Bool) -> String {
        let names = keys.map { Data($0).base64EncodedString() }.joined(separator: ", ")
        let advice = isTrusted ? "" : "; if that is not your log's key, it is not your log: pass yours as --public-key"
        return """
            intact: \(rows) rows, all that checkpoint \(newest.index) of \(newest.json["time"]?.string ?? "") covers\(beginning)
            signed by \(names)\(advice)
            """
    }
}

extension ExportFault {
    fileprivate var json: JSON {
        var json: JSON = ["ok": false, "line": JSON(line), "reason": .string(reason)]
        switch place {
        case .row(let shard, let index):
            json["shard"] = JSON(shard)
            json["index"] = JSON(index)
        case .checkpoint(let index): json["checkpoint"] = JSON(index)
        case .line: break
        }
        return json
    }
}
