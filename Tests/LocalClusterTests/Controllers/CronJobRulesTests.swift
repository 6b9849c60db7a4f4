import KubernetesClient
import StructuredData
import Testing

@testable import LocalCluster

@Suite struct CronJobRulesTests {
    private func time(_ text: String) throws -> KubernetesTime {
        try #require(KubernetesTime("2026-01-01T\(text)Z"))
    }

    private func plan(
        _ spec: JSON = [:], status: JSON = [:], jobs: [KubernetesObject] = [], at now: String
    ) throws -> CronJobRules.Plan {
        var full: JSON = [
            "schedule": "*/10 * * * *", "concurrencyPolicy": "Allow", "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": ["metadata": ["labels": ["a": "b"]], "spec": ["parallelism": 1]],
        ]
        for (key, value) in spec.object ?? [:] { full[key] = value }
        let cronJob = KubernetesObject([
            "metadata": [
                "name": "tick", "namespace": "shop", "uid": "cron", "creationTimestamp": "2026-01-01T00:01:00Z",
            ], "spec": full, "status": status,
        ])
        return CronJobRules(cronJob: cronJob, jobs: jobs, now: try time(now)).plan
    }

    private func job(_ name: String, _ end: String? = nil, at text: String = "00:00:00") -> KubernetesObject {
        var status: JSON = ["startTime": JSON("2026-01-01T\(text)Z")]
        if let end {
            status["conditions"] = [["type": JSON(end), "status": "True"]]
            if end == "Complete" { status["completionTime"] = JSON("2026-01-01T\(text)Z") }
        }
        return KubernetesObject([
            "metadata": ["name": JSON(name), "namespace": "shop", "uid": JSON("uid-\(name)")], "status": status,
        ])
    }

    @Test func waitsForItsTime() throws {
        let plan = try plan(at: "00:04:00")
        #expect(plan.create == nil)
        #expect(plan.next == .seconds(360))
    }

    @Test func startsAJobNamedAfterTheTime() throws {
        let plan = try plan(["timeZone": "America/New_York"], at: "00:10:01")
        let (job, scheduled) = try #require(plan.create)
        #expect(try scheduled == time("00:10:00"))
        // Minutes since 1970.
        #expect(job.at("metadata", "name") == "tick-29453770")
        #expect(job.at("metadata", "labels") == ["a": "b"])
        #expect(
            job.at("metadata", "annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp")
                == "2025-12-31T19:10:00-05:00")
        #expect(job.at("metadata", "ownerReferences")?[0]?["uid"] == "cron")
        #expect(job["spec"] == ["parallelism": 1])
        #expect(plan.next == .seconds(599))
    }

    @Test func aTimeIsStartedOnce() throws {
        #expect(try plan(status: ["lastScheduleTime": "2026-01-01T00:10:00Z"], at: "00:15:00").create == nil)
    }

    @Test func ofMissedTimesTheLastIsMadeUpFor() throws {
        let late = try plan(status: ["lastScheduleTime": "2026-01-01T00:10:00Z"], at: "00:55:00")
        #expect(try late.create?.scheduled == time("00:50:00"))
        #expect(late.notes.isEmpty)
        let veryLate = try plan(["schedule": "* * * * *"], at: "08:00:30")
        #expect(try veryLate.create?.scheduled == time("08:00:00"))
        #expect(veryLate.notes.map(\.reason) == ["TooManyMissedTimes"])
    }

    @Test func aStartingDeadlineGivesUpOnOldTimes() throws {
        #expect(try plan(["startingDeadlineSeconds": 60], at: "00:12:00").create == nil)
        #expect(try plan(["startingDeadlineSeconds": 200], at: "00:12:00").create != nil)
    }

    @Test(arguments: [("Allow", true, 0), ("Forbid", false, 0), ("Replace", true, 1)])
    func aRunningJobIsTreatedByPolicy(policy: String, creates: Bool, deletes: Int) throws {
        let plan = try plan(["concurrencyPolicy": JSON(policy)], jobs: [job("tick-1")], at: "00:10:01")
        #expect((plan.create != nil) == creates)
        #expect(plan.delete.map(\.name) == Array(repeating: "tick-1", count: deletes))
        #expect(plan.notes.map(\.reason) == (policy == "Forbid" ? ["JobAlreadyActive"] : []))
        #expect(plan.status["active"]?.array?.count ?? 0 == (policy == "Replace" ? 0 : 1))
    }

    @Test(arguments: ["Allow", "Forbid", "Replace"])
    func aJobThatWasStartedByHandIsLeftAlone(policy: String) throws {
        var byHand = job("by-hand")
        byHand.json.set("manual", at: "metadata", "annotations", "cronjob.kubernetes.io/instantiate")
        let plan = try plan(["concurrencyPolicy": JSON(policy)], jobs: [byHand], at: "00:10:01")
        #expect(plan.create != nil && plan.delete.isEmpty && plan.status["active"] == nil)
    }

    @Test func aSuspendedOneStartsNothing() throws {
        let plan = try plan(["suspend": true], at: "00:10:01")
        #expect(plan.create == nil)
        #expect(plan.next == nil)
    }

    @Test func keepsAsManyFinishedJobsAsItIsTold() throws {
        let jobs = [
            job("c1", "Complete", at: "00:01:00"), job("c2", "Complete", at: "00:02:00"),
            job("c3", "Complete", at: "00:03:00"), job("f1", "Failed", at: "00:01:00"),
            job("f2", "Failed", at: "00:02:00"), job("running"),
        ]
        let plan = try plan(["successfulJobsHistoryLimit": 2], jobs: jobs, at: "00:05:00")
        #expect(plan.delete.map(\.name) == ["c1", "f1"])
        #expect(plan.status["lastSuccessfulTime"] == "2026-01-01T00:03:00Z")
        #expect(plan.status["active"]?.array?.compactMap { $0["name"]?.string } == ["running"])
    }

    @Test func tellsOfJobsThatHaveEndedOrGone() throws {
        let active: JSON = [["name": "done", "uid": "uid-done"], ["name": "lost", "uid": "uid-lost"]]
        let plan = try plan(status: ["active": active], jobs: [job("done", "Failed")], at: "00:05:00")
        #expect(
            plan.notes.map(\.text) == ["Saw completed job: done, condition: Failed", "Active job went missing: lost"])
        #expect(plan.status["active"] == nil)
    }

    @Test func saysWhatItCannotRead() throws {
        #expect(try plan(["timeZone": "Mars/Olympus"], at: "00:10:01").notes.map(\.reason) == ["UnknownTimeZone"])
        #expect(try plan(["schedule": "nonsense"], at: "00:10:01").notes.map(\.reason) == ["UnparseableSchedule"])
    }
}
