import Compression
import HTTPTypes
import Testing

@testable import TodoWeb

@Suite struct WebRoutesTests {
    @Test func thePageIsAskedForAgainAndItsPartsNever() async throws {
        let page = WebPage.shared
        try await PageServer.run { server in
            for path in ["/", "/index.html"] {
                let answer = try await server.get(path)
                #expect(answer.status == 200 && answer.bytes == page.index.bytes)
                #expect(answer.headers[.cacheControl] == "no-cache")
                #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            }
            for asset in page.assets.values {
                let answer = try await server.get("/assets/\(page.version)/\(asset.path)")
                #expect(answer.status == 200 && answer.bytes == asset.bytes, "\(asset.path)")
                #expect(answer.headers[.cacheControl] == "public, max-age=31536000, immutable")
                #expect(answer.headers[.contentType] == asset.contentType)
                #expect(answer.headers[.contentType] != "application/octet-stream", "\(asset.path)")
            }
        }
    }

    @Test func everyAnswerForbidsWhatThePageDoesNotDo() async throws {
        try await PageServer.run { server in
            for path in ["/", "/assets/\(WebPage.shared.version)/app.js"] {
                let headers = try await server.get(path).headers
                let policy = try #require(headers[.contentSecurityPolicy])
                for rule in [
                    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
                    "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
                    "require-trusted-types-for 'script'",
                ] {
                    #expect(policy.split(separator: ";").contains { $0.drop { $0 == " " } == rule }, "\(rule)")
                }
                #expect(!policy.contains("unsafe"))
                #expect(headers[.xContentTypeOptions] == "nosniff")
                #expect(headers[HTTPField.Name("Referrer-Policy")!] == "no-referrer")
                #expect(headers[HTTPField.Name("Cross-Origin-Opener-Policy")!] == "same-origin")
            }
        }
    }

    @Test func whatTheBrowserHasIsNotSentAgain() async throws {
        try await PageServer.run { server in
            let tag = try #require(try await server.get("/").headers[.eTag])
            let again = try await server.get("/", [.ifNoneMatch: "\"other\", \(tag)"])
            #expect(again.status == 304 && again.bytes.isEmpty && again.headers[.eTag] == tag)
            #expect(again.headers[.contentSecurityPolicy] != nil)
            #expect(try await server.get("/", [.ifNoneMatch: "W/\"other\""]).status == 200)
        }
    }

    @Test func textIsSentPackedToWhoUnpacksIt() async throws {
        let path = "/assets/\(WebPage.shared.version)/app.js"
        let bytes = try #require(WebPage.shared.assets["app.js"]?.bytes)
        try await PageServer.run { server in
            let packed = try await server.get(path, [.acceptEncoding: "br, gzip;q=0.5"])
            #expect(packed.headers[.contentEncoding] == "gzip" && packed.headers[.vary] == "Accept-Encoding")
            #expect(packed.bytes == Gzip.compress(bytes, level: 9))
            #expect(packed.bytes.count < bytes.count / 2)
            for refusal in ["", "br", "gzip;q=0", "*;q=0.0", "*, gzip;q=0"] {
                let plain = try await server.get(path, [.acceptEncoding: refusal])
                #expect(plain.headers[.contentEncoding] == nil && plain.bytes == bytes, "\(refusal)")
            }
        }
        try await PageServer.run(unpacking: true) { server in
            let answer = try await server.get(path)
            #expect(answer.bytes == bytes)
        }
    }

    @Test func headAnswersWithoutTheBody() async throws {
        try await PageServer.run { server in
            let answer = try await server.get("/", method: .head)
            #expect(answer.status == 200 && answer.bytes.isEmpty)
            #expect(answer.headers[.contentLength] == "\(WebPage.shared.index.bytes.count)")
        }
    }

    @Test(arguments: [
        "/assets/0000000000000000/app.js", "/assets/VERSION/none.js", "/assets/VERSION/index.html", "/assets/VERSION/",
        "/assets/VERSION/../index.html", "/assets/VERSION/parts/%2e%2e/app.js", "/assets/VERSION/parts",
    ])
    func whatIsNotThereIsNotFound(path: String) async throws {
        try await PageServer.run { server in
            let answer = try await server.get(path.replacing("VERSION", with: WebPage.shared.version))
            #expect(answer.status == 404)
            #expect(answer.headers[.cacheControl] == nil)
        }
    }

    @Test func theVersionIsThatOfTheFiles() {
        func page(_ script: String, name: String = "app.js") -> WebPage {
            WebPage([
                WebAsset(path: "index.html", bytes: Array("<script src={{assets}}/app.js>".utf8)),
                WebAsset(path: name, bytes: Array(script.utf8)),
            ])
        }
        #expect(page("1").version == page("1").version)
        #expect(page("1").version != page("2").version)
        #expect(page("1").version != page("1", name: "b.js").version)
        #expect(page("1").index.bytes == Array("<script src=/assets/\(page("1").version)/app.js>".utf8))
    }
}
