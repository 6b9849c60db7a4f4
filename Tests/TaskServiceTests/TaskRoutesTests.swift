import HTTPTransport
import HTTPTypes
import StructuredData
import Testing

@Suite(.timeLimit(.minutes(10))) struct TaskRoutesTests {
    @Test func `a task is created, read, changed and deleted`() async throws {
        try await RunningService.with { service in
            let created = try await service.send(.post, "/v1/tasks", ["title": " buy milk ", "priority": "high"])
            #expect(created.status == 201 && created.headers[.eTag] == "\"1\"")
            #expect(created.headers[.contentType] == "application/json")
            let location = try #require(created.headers[.location])
            #expect(location == "/v1/tasks/\(created.json["id"]?.string ?? "")")
            #expect(created.json["title"] == "buy milk" && created.json["status"] == "open")

            let read = try await service.send(.get, location)
            #expect(read.status == 200 && read.json == created.json && read.headers[.eTag] == "\"1\"")

            let changed = try await service.send(.patch, location, ["status": "done", "priority": nil])
            #expect(changed.status == 200 && changed.headers[.eTag] == "\"2\"" && changed.json["version"] == 2)
            #expect(changed.json["status"] == "done" && changed.json["priority"] == "none")
            #expect(changed.json["title"] == "buy milk" && changed.json["createdAt"] == created.json["createdAt"])

            let deleted = try await service.send(.delete, location)
            #expect(deleted.status == 204 && deleted.bytes.isEmpty)
            #expect(try await service.send(.get, location).json["deletedAt"]?.string != nil, "it is in the bin")
            #expect(try await service.send(.delete, location).status == 204)
            #expect(try await service.send(.patch, location, ["title": "x"]).status == 422)
            #expect(try await service.send(.post, "\(location)/restore").json["deletedAt"] == .null)
            #expect(try await service.send(.patch, location, ["title": "x"]).status == 200)
        }
    }

    @Test func `a client that has the task is told that nothing changed`() async throws {
        try await RunningService.with { service in
            let path = "/v1/tasks/\(try await service.create("x")["id"]?.string ?? "")"
            for tag in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
                let answer = try await service.send(.get, path, headers: [.ifNoneMatch: tag])
                #expect(answer.status == 304 && answer.bytes.isEmpty && answer.headers[.eTag] == "\"1\"")
            }
            #expect(try await service.send(.get, path, headers: [.ifNoneMatch: "\"2\""]).status == 200)
        }
    }

    @Test func `a change on a version that is no more is refused`() async throws {
        try await RunningService.with { service in
            let path = "/v1/tasks/\(try await service.create("x")["id"]?.string ?? "")"
            for tag in ["\"2\"", "W/\"1\"", "nonsense"] {
                for method in [HTTPRequest.Method.patch, .delete] {
                    let body: JSON? = method == .patch ? ["title": "y"] : nil
                    let answer = try await service.send(method, path, body, headers: [.ifMatch: tag])
                    #expect(answer.status == 412 && answer.headers[.eTag] == "\"1\"")
                }
            }
            #expect(try await service.send(.get, path).json["title"] == "x")
            #expect(try await service.send(.patch, path, ["title": "y"], headers: [.ifMatch: "\"1\""]).status == 200)
            #expect(try await service.send(.delete, path, headers: [.ifMatch: "*"]).status == 204)
        }
    }

    @Test func `of changes at once with If-Match none is lost`() async throws {
        try await RunningService.with { service in
            let path = "/v1/tasks/\(try await service.create("count", ["description": "0"])["id"]?.string ?? "")"
            let refused = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var (done, refused) = (0, 0)
                        while done < 10 {
                            let read = try await RunningService.patiently { try await service.send(.get, path) }
                            try #require(read.status == 200)
                            let count = Int(read.json["description"]?.string ?? "") ?? -1
                            let answer = try await RunningService.patiently {
                                try await service.send(
                                    .patch, path, ["description": .string("\(count + 1)")],
                                    headers: [.ifMatch: read.headers[.eTag] ?? ""])
                            }
                            if answer.status == 200 { done += 1 } else { refused += 1 }
                            #expect([200, 412].contains(answer.status))
                        }
                        return refused
                    }
                }
                return try await group.reduce(0, +)
            }
            let task = try await service.send(.get, path).json
            #expect(task["description"] == "80" && task["version"] == 81)
            #expect(refused > 0, "the changes never met, so the test shows nothing")
        }
    }

    @Test func `a thousand tasks are listed once each while others are made`() async throws {
        try await RunningService.with { service in
            let before = try await withThrowingTaskGroup(of: [String].self) { group in
                for worker in 0..<20 {
                    group.addTask {
                        var ids: [String] = []
                        for n in 0..<50 {
                            ids.append(try #require(try await service.create("task \(worker) \(n)")["id"]?.string))
                        }
                        return ids
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.formUnion($1) }
            }
            var seen: [String] = []
            var times: [String] = []
            var path = "/v1/tasks?q=sort:-created&limit=37"
            while true {
                async let other = service.create("made meanwhile")
                let page = try await service.send(.get, path)
                #expect(page.status == 200)
                _ = try await other
                seen += (page.json["items"]?.array ?? []).compactMap { $0["id"]?.string }
                times += (page.json["items"]?.array ?? []).compactMap { $0["createdAt"]?.string }
                guard let next = page.json["nextCursor"]?.string else { break }
                path = "/v1/tasks?q=sort:-created&limit=37&cursor=\(next)"
            }
            #expect(seen.count == Set(seen).count)
            #expect(before.isSubset(of: seen))
            #expect(times == times.sorted(by: >), "newest first")
        }
    }

    @Test func `a list can be of one status and of a size`() async throws {
        try await RunningService.with { service in
            for n in 0..<60 { _ = try await service.create("\(n)", ["status": n % 2 == 0 ? "open" : "done"]) }
            let all = try await service.send(.get, "/v1/tasks").json
            #expect(all["items"]?.array?.count == 50 && all["nextCursor"]?.string != nil)
            let done = try await service.send(.get, "/v1/tasks?q=status%3Adone+sort:-created&limit=200").json
            #expect(done["items"]?.array?.count == 30 && done["nextCursor"] == .null)
            #expect(done["items"]?.array?.allSatisfy { $0["status"] == "done" } == true)
            #expect(done["items"]?[0]?["title"] == "59")
        }
    }

    @Test func `HEAD answers as GET, without the body`() async throws {
        try await RunningService.with { service in
            let id = try await service.create("x")["id"]?.string ?? ""
            for path in ["/v1/tasks/\(id)", "/v1/tasks", "/livez", "/readyz", "/metrics"] {
                let head = try await service.eventually(.head, path) { $0.status != 503 }
                let get = try await service.eventually(.get, path) { $0.status != 503 }
                #expect(head.status == 200 && head.bytes.isEmpty)
                #expect(head.headers[.contentType] == get.headers[.contentType])
                #expect(head.headers[.eTag] == get.headers[.eTag])
            }
        }
    }

    @Test func `a long answer is compressed for who takes that`() async throws {
        try await RunningService.with { service in
            let ada = try await service.person("ada")
            let text = JSON.string(String(repeating: "all work and no play ", count: 500))
            let path = "/v1/tasks/\(try await ada.make("/v1/tasks", ["title": "x", "description": text]).id)"
            let plain = try await ada.send(.get, path)
            #expect(plain.headers[.contentEncoding] == nil && plain.json["description"] == text)
            // libcurl asks for what it can unpack, and unpacks it, where it is told to; here it is not.
            let packed = try await service.send(
                .get, path, bytes: nil,
                headers: [.authorization: "Bearer \(ada.token)", .acceptEncoding: "br, gzip;q=0.5"])
            #expect(packed.headers[.contentEncoding] == "gzip" && packed.headers[.vary] == "Accept-Encoding")
            #expect(packed.bytes.starts(with: [0x1f, 0x8b]) && packed.bytes.count < plain.bytes.count / 10)
            for header in ["gzip;q=0", "br", "identity"] {
                let answer = try await service.send(
                    .get, path, bytes: nil,
                    headers: [.authorization: "Bearer \(ada.token)", .acceptEncoding: header])
                #expect(answer.headers[.contentEncoding] == nil && answer.bytes == plain.bytes)
            }
        }
    }
}
