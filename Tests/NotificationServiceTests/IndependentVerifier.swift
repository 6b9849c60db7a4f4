import ChildProcess
import Foundation
import StructuredData
import WebhookReceiver

/// Python's `standardwebhooks`, where it can be had: somebody else's reading of the specification.
enum IndependentVerifier {
    static let python = ["/usr/bin/python3", "/usr/local/bin/python3"]

    /// Nil when it cannot be asked here.
    static func accepts(_ hook: WebhookReceiver.Hook, secret: String) async throws -> Bool? {
        let script = """
            import base64, json, sys
            try:
                from standardwebhooks import Webhook, WebhookVerificationError
            except ImportError:
                sys.exit(3)
            body, headers, secret = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
            try:
                Webhook(secret).verify(base64.b64decode(body), headers)
            except WebhookVerificationError:
                sys.exit(1)
            """
        let headers: JSON = [
            "webhook-id": .string(hook.id), "webhook-timestamp": .string(hook.timestamp),
            "webhook-signature": .string(hook.signature),
        ]
        for path in python {
            var specification = ChildProcess.Specification(
                path: path, arguments: ["-c", script, Data(hook.body).base64EncodedString(), headers.text, secret],
                environment: ProcessInfo.processInfo.environment)
            specification.standardOutput = .null
            specification.standardError = .null
            guard let process = try? await ChildProcess.start(specification) else { continue }
            switch await process.exit.code {
            case 0: return true
            case 1: return false
            default: continue
            }
        }
        return nil
    }
}
