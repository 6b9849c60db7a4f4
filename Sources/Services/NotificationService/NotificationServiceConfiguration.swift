internal import Crypto
public import Dapr
internal import FoundationEssentials
public import HTTPTransport
public import Logging
public import Postgres
public import ServiceHTTP
public import ServiceRunning
internal import TodoStore

/// What the service takes from its environment.
///
/// | variable | default | meaning |
/// | --- | --- | --- |
/// | `DATABASE_URI` | required | PostgreSQL, as libpq writes it |
/// | `DATABASE_TLS_MODE` | as the URI says | `disable`, `require` or `verify-full` |
/// | `DATABASE_DIRECT_URI` | | the same database without a pooler; that there is one says that `DATABASE_URI` has one |
/// | `DATABASE_POOLED` | see above | a pooler in transaction mode is in between |
/// | `POOL_SIZE` | 16 | connections to the database, 1 to 1000 |
/// | `PORT` | 8080 | where to listen; 0 takes a free one |
/// | `TODO_BIND_ADDRESS` | every address, IPv4 and IPv6 | |
/// | `TODO_API_URL` | required | the api service, which knows whose tokens are whose |
/// | `TODO_PUBLIC_URL` | required | where people reach the installation: links in mails begin with it |
/// | `TODO_LINK_KEY` | required | signs those links: 32 random bytes in Base64. With another one, links sent before are void |
/// | `TODO_LINK_KEY_PREVIOUS` | | the same before a rotation: links signed by it are taken, too |
/// | `TODO_WEBHOOK_ALLOW` | | addresses that webhooks may go to besides public ones, with `http://`, too: CIDR blocks with commas in between |
/// | `TODO_SMTP_HOST` | | the mail server; without, no mails are sent |
/// | `TODO_SMTP_PORT` | 587, with implicit TLS 465 | |
/// | `TODO_SMTP_TLS` | starttls | `starttls`, `implicit`, or `none` for a server on the same machine |
/// | `TODO_SMTP_FROM` | required with a host | the sender: `todo@example.com` or `Todo <todo@example.com>` |
/// | `TODO_SMTP_USERNAME`, `TODO_SMTP_PASSWORD` | | never sent without TLS |
/// | `TODO_SMTP_CA_FILE` | the system's | PEM file with the authorities that the mail server's certificate is checked by |
/// | `APP_API_TOKEN` | | what the sidecar proves itself with; without, whoever reaches the port may deliver events |
/// | `LOG_LEVEL` | info | |
public struct NotificationServiceConfiguration: Sendable {
    public struct Mail: Sendable {
        public var server: SMTPTransport.Configuration
        public var from: MailMessage.Mailbox
    }

    public var database: PostgresConfiguration
    public var poolSize: Int
    public var bindAddress: String
    public var port: Int
    public var apiURL: String
    /// Without a slash at the end.
    public var publicURL: String
    public var linkKey: [UInt8]
    /// Of links that were sent before a rotation.
    public var previousLinkKey: [UInt8]?
    public var addresses: AddressPolicy
    /// Nil sends no mails.
    public var mail: Mail?
    public var sidecarToken: AppToken?
    public var logLevel: Logger.Level
    public var limits = ConnectionLimits()
    /// The longest that one attempt at a webhook may take.
    public var webhookTimeout: Duration = .seconds(15)
    /// The longest that something waits for a connection to the database.
    public var poolWait: Duration = .seconds(5)
    /// How long requests are still answered after the service was told to stop and says that it is not ready.
    public var drainDelay: Duration = .seconds(2)
    /// The longest that requests and attempts under way may take after that.
    public var stopDeadline: Duration = .seconds(20)

    /// Throws on the first variable that cannot be used.
    public init(environment: [String: String]) throws(EnvironmentError) {
        let reader = EnvironmentReader(environment)
        database = try DatabaseAddress.configuration(from: reader)
        poolSize = try reader.integer("POOL_SIZE", in: 1...1000, default: 16)
        bindAddress = reader.bindAddress
        port = try reader.integer("PORT", in: 0...65535, default: 8080)
        apiURL = try reader.url("TODO_API_URL", "set it to where the api service is, such as http://todo-api")
        publicURL = try reader.url(
            "TODO_PUBLIC_URL", "set it to where people reach the installation, such as https://todo.example.com")
        linkKey = try reader.key("TODO_LINK_KEY")
        let previous = "TODO_LINK_KEY_PREVIOUS"
        previousLinkKey = reader[previous] == nil ? nil : try reader.key(previous)
        addresses = try Self.addresses(reader)
        mail = try Self.mail(reader)
        sidecarToken = AppToken(environment: environment)
        logLevel = try reader.choice("LOG_LEVEL") ?? .info
    }

    private static func addresses(_ reader: EnvironmentReader) throws(EnvironmentError) -> AddressPolicy {
        var blocks: [AddressBlock] = []
        for text in (reader["TODO_WEBHOOK_ALLOW"] ?? "").split(whereSeparator: { $0 == "," || $0 == " " }) {
            guard let block = AddressBlock(text) else {
                throw EnvironmentError(
                    "TODO_WEBHOOK_ALLOW", "must be CIDR blocks such as 10.0.0.0/8,fd00::/8; \"\(text)\" is none")
            }
            blocks.append(block)
        }
        return AddressPolicy(allowing: blocks)
    }

    private static func mail(_ reader: EnvironmentReader) throws(EnvironmentError) -> Mail? {
        guard let host = reader["TODO_SMTP_HOST"] else { return nil }
        let security = try reader.choice("TODO_SMTP_TLS", of: SMTPTransport.Security.self) ?? .startTLS
        let port = try reader.integer(
            "TODO_SMTP_PORT", in: 1...65535, default: security == .implicitTLS ? 465 : 587)
        let sender = try reader.required("TODO_SMTP_FROM", "set it to the sender of mails, such as todo@example.com")
        guard let from = MailMessage.Mailbox(parsing: sender) else {
            throw EnvironmentError("TODO_SMTP_FROM", "must be an address such as Todo <todo@example.com>")
        }
        var server = SMTPTransport.Configuration(host: host, port: port, security: security)
        if let user = reader["TODO_SMTP_USERNAME"] {
            guard security != .none else {
                throw EnvironmentError(
                    "TODO_SMTP_USERNAME", "is not sent in the clear: set TODO_SMTP_TLS to starttls or implicit")
            }
            let password = try reader.required("TODO_SMTP_PASSWORD", "set it to the password of TODO_SMTP_USERNAME")
            server.credentials = .init(user: user, password: password)
        }
        if let file = reader["TODO_SMTP_CA_FILE"] {
            guard let pem = try? Data(contentsOf: URL(filePath: file)) else {
                throw EnvironmentError("TODO_SMTP_CA_FILE", "names \(file), which cannot be read")
            }
            server.trust = .authorities(pem: Array(pem))
        }
        return Mail(server: server, from: from)
    }
}

extension MailMessage.Mailbox {
    /// `todo@example.com` or `Todo <todo@example.com>`; nil for anything else.
    init?(parsing text: String) {
        if let match = text.wholeMatch(of: /\s*"?([^"<>]*?)"?\s*<([^<>]+)>\s*/) {
            self.init(name: String(match.1), address: String(match.2))
        } else {
            self.init(address: text)
        }
        guard MailMessage.isSendable(address) else { return nil }
    }
}
