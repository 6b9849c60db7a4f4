import FoundationEssentials
import Testing
import ServiceRunning

@testable import RealtimeService

@Suite struct HandshakeTests {
    private func read(
        _ headers: [String: String], allowed: Set<String> = []
    ) throws(Handshake.Refusal) -> Handshake {
        try Handshake(headers: { headers[$0].map { [$0] } ?? [] }, allowedOrigins: allowed)
    }

    @Test func `a token is taken from the subprotocols or from Authorization`() throws {
        let offer = try read(["Sec-WebSocket-Protocol": "todo.v1, bearer.todo_abc"])
        #expect(offer.credential == .token("todo_abc") && offer.hasSubprotocol)
        let header = try read(["Authorization": "bearer  todo_x "])
        #expect(header.credential == .token("todo_x") && !header.hasSubprotocol)
        #expect(try read(["Authorization": "Basic abc"]).credential == nil)
        #expect(try read(["Sec-WebSocket-Protocol": "todo.v1"]).credential == nil)
        #expect(throws: Handshake.Refusal.self) { try read(["Sec-WebSocket-Protocol": "chat, bearer.x"]) }
    }

    @Test(arguments: [
        ("https://todo.example.com", ["Host": "todo.example.com"], true),
        ("http://LOCALHOST:8080", ["Host": "localhost:8080"], true),
        ("https://todo.example.com", ["Host": "todo-api:8080", "X-Forwarded-Host": "todo.example.com"], true),
        ("https://elsewhere.example", ["Host": "todo.example.com"], true),
        ("https://evil.example", ["Host": "todo.example.com"], false),
        ("https://todo.example.com.evil.example", ["Host": "todo.example.com"], false),
        ("https://todo.example.com:444", ["Host": "todo.example.com"], false),
        ("null", ["Host": "todo.example.com"], false),
        ("", ["Host": "todo.example.com"], false),
    ])
    func `a cookie counts only with an Origin of our own`(
        _ origin: String, _ hosts: [String: String], _ isTaken: Bool
    ) throws {
        var headers = hosts
        headers["Cookie"] = "a=b; todo_session=s3cret;c=d"
        if !origin.isEmpty { headers["Origin"] = origin }
        let allowed: Set<String> = ["https://elsewhere.example"]
        if isTaken {
            #expect(try read(headers, allowed: allowed).credential == .session("s3cret"))
        } else {
            let error = #expect(throws: Handshake.Refusal.self) { try read(headers, allowed: allowed) }
            #expect(error?.status == 403)
            headers["Sec-WebSocket-Protocol"] = "todo.v1, bearer.t"
            #expect(try read(headers, allowed: allowed).credential == .token("t"), "a token was shown on purpose")
        }
    }

    @Test func `nothing gets into a header of ours`() {
        for token in ["", "a b", "a\r\nX: y", "ü", String(repeating: "x", count: 4097)] {
            #expect(Credential(token: token) == nil)
        }
        #expect(Credential(cookie: "a;b") == nil)
    }

    @Test func `cursors are read as they are written`() throws {
        let (a, b) = (UUID(), UUID())
        let cursor: StreamCursor = [a: 3, b: 0]
        #expect(StreamCursor(cursor.text) == cursor)
        #expect(cursor.text == "\(a.text):3,\(b.text):0" && cursor.own == a)
        for text in [
            "", ",", "\(a.text)", "\(a.text):", "\(a.text):-1", "\(a.text):1,", "x:1", "\(a.text):1,\(a.text):2",
        ] {
            #expect(StreamCursor(text) == nil, "\(text)")
        }
    }
}

@Suite struct RealtimeConfigurationTests {
    @Test func `only the address of the API must be given`() throws {
        let least = try RealtimeConfiguration(environment: ["TODO_API_URL": "http://api:8080/"])
        #expect(least.apiURL == "http://api:8080" && least.port == 8080 && least.appToken == nil)
        #expect(least.maxConnections == 12_000 && least.maxConnectionsPerUser == 50)
        let all = try RealtimeConfiguration(environment: [
            "TODO_API_URL": "https://api", "PORT": "0", "APP_API_TOKEN": "t", "MAX_CONNECTIONS": "3",
            "MAX_CONNECTIONS_PER_USER": "2", "DRAIN_SECONDS": "1", "TODO_BIND_ADDRESS": "::",
            "TODO_ALLOWED_ORIGINS": "https://A.example, https://b.example",
        ])
        #expect(all.port == 0 && all.appToken == "t" && all.maxConnections == 3 && all.maxConnectionsPerUser == 2)
        #expect(all.drainTime == .seconds(1) && all.bindAddress == "::")
        #expect(all.allowedOrigins == ["https://a.example", "https://b.example"])
    }

    @Test(arguments: [
        ("TODO_API_URL", ""), ("TODO_API_URL", "api:8080"), ("PORT", "x"), ("MAX_CONNECTIONS", "0"),
        ("DRAIN_SECONDS", "-1"),
    ])
    func `a variable that cannot be used is named`(_ name: String, _ value: String) {
        let environment = ["TODO_API_URL": "http://api"].merging([name: value]) { $1 }
        let error = #expect(throws: EnvironmentError.self) {
            try RealtimeConfiguration(environment: environment)
        }
        #expect(error?.variable == name)
    }
}
