import Logging
import Metrics
import StructuredData
import Synchronization
import Concurrency
import Telemetry
import Testing

@Suite struct PrometheusTextTests {
    @Test func countersGaugesAndHistogramsPrintInTheTextFormat() {
        let registry = PrometheusRegistry(timerBuckets: [0.1, 1])
        Counter(label: "jobs_total", dimensions: [("result", "ok")], factory: registry).increment(by: 3)
        Gauge(label: "depth", dimensions: [("queue", "a\"b\\c\nd")], factory: registry).record(2.5)
        let timer = Metrics.Timer(label: "wait_seconds", factory: registry)
        timer.recordMilliseconds(50)
        timer.recordMilliseconds(500)
        timer.recordSeconds(5)
        registry.describe("jobs_total", "Jobs that ended.")
        #expect(
            registry.render() == """
                # TYPE depth gauge
                depth{queue="a\\"b\\\\c\\nd"} 2.5
                # HELP jobs_total Jobs that ended.
                # TYPE jobs_total counter
                jobs_total{result="ok"} 3
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.1"} 1
                wait_seconds_bucket{le="1"} 2
                wait_seconds_bucket{le="+Inf"} 3
                wait_seconds_sum 5.55
                wait_seconds_count 3

                """)
    }

    @Test func aNameOfTwoKindsKeepsTheFirstAndIsCounted() {
        let registry = PrometheusRegistry()
        Counter(label: "x", factory: registry).increment()
        Gauge(label: "x", factory: registry).record(7)
        let text = registry.render()
        #expect(text.contains("# TYPE x counter\nx 1\n"))
        #expect(text.contains("telemetry_metric_kind_conflicts_total 1\n"))
    }

    @Test func aGaugeOfSomethingThatIsGoneGoesAndWhatCountsStays() {
        let registry = PrometheusRegistry()
        let gauges = ["one", "two"].map { Gauge(label: "up", dimensions: [("app", $0)], factory: registry) }
        for gauge in gauges { gauge.record(1) }
        let counter = Counter(label: "jobs_total", factory: registry)
        counter.increment()
        gauges[0].destroy()
        counter.destroy()
        #expect(registry.render() == "# TYPE jobs_total counter\njobs_total 1\n# TYPE up gauge\nup{app=\"two\"} 1\n")
        Gauge(label: "up", dimensions: [("app", "one")], factory: registry).record(0)
        #expect(registry.render().contains("up{app=\"one\"} 0\nup{app=\"two\"} 1\n"))
    }

    @Test func namesThatPrometheusRefusesAreMended() {
        let registry = PrometheusRegistry()
        Counter(label: "2.things-done", factory: registry).increment()
        #expect(registry.render().contains("_2_things_done 1\n"))
    }

    @Test func theProcessShowsItsMemoryAndProcessorTime() {
        let registry = PrometheusRegistry()
        ProcessMetrics.register(in: registry)
        let lines = registry.render().split(separator: "\n")
        let memory = lines.first { $0.hasPrefix("process_resident_memory_bytes ") }?.split(separator: " ").last
        #expect((memory.flatMap { Int($0) } ?? 0) > 1_000_000)
        #expect(lines.contains { $0.hasPrefix("process_cpu_seconds_total ") })
        #expect(lines.contains("# TYPE process_cpu_seconds_total counter"))
    }
}

@Suite struct LogTests {
    @Test func everyEventIsOneLineOfJSONWithItsMetadata() throws {
        let lines = Mutex<[[UInt8]]>([])
        var logger = Logger(label: "controller") { label in
            LineLogHandler(label: label) { line in lines.withLock { $0.append(line) } }
        }
        logger[metadataKey: "namespace"] = "todo"
        logger.info(
            "two\nlines", metadata: ["generation": .stringConvertible(3), "msg": "hidden", "list": ["a", "b"]])
        logger.debug("below the level")
        let written = lines.withLock { $0 }
        #expect(written.count == 1)
        let line = try #require(written.first)
        #expect(line.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        let json = try JSON(parsing: line)
        #expect(json["msg"] == "two\nlines")
        #expect(json["msg_"] == "hidden")
        #expect(json["level"] == "info")
        #expect(json["logger"] == "controller")
        #expect(json["namespace"] == "todo")
        #expect(json["generation"] == 3)
        #expect(json["list"] == ["a", "b"])
        let stamp = try #require(json["ts"]?.string)
        #expect(stamp.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
    }

    @Test func textForATerminalHoldsNoControlCharacter() throws {
        let lines = Mutex<[[UInt8]]>([])
        let logger = Logger(label: "controller") { label in
            LineLogHandler(label: label, format: .text) { line in lines.withLock { $0.append(line) } }
        }
        logger.info("naïve\n12:00:00 error forged", metadata: ["name": "\u{1B}[2J\u{9B}2J", "b": "2"])
        let line = String(decoding: try #require(lines.withLock { $0 }.first), as: UTF8.self)
        #expect(
            line.dropFirst(8) == " info controller: naïve\\n12:00:00 error forged b=2 name=\\u{1B}[2J\\u{009B}2J\n")
    }
}

@Suite struct HealthTests {
    @Test func oneFailedCheckMakesTheReportUnhealthyAndNamesIt() async {
        let report = await HealthChecks([
            ("ping", {}), ("database", { throw HealthFailure("no connection to db:5432") }),
        ]).run()
        #expect(!report.isHealthy)
        #expect(report.text == "[+]ping ok\n[-]database failed: no connection to db:5432\nhealthz check failed\n")
        #expect(report.body(verbose: false) == report.text)
    }

    @Test func aHealthyReportIsListedOnlyWhenAskedFor() async {
        let report = await HealthChecks([("ping", {})]).run()
        #expect(report.body(verbose: false) == "ok")
        #expect(report.body(verbose: true) == "[+]ping ok\nhealthz check passed\n")
    }

    @Test func timestampsAreRFC3339() {
        #expect(Timestamp.text(seconds: 1_769_851_613, nanoseconds: 589_793_238) == "2026-01-31T09:26:53.589793Z")
        #expect(Timestamp.text(seconds: 0) == "1970-01-01T00:00:00.000000Z")
    }
}
