import StructuredData
import Testing

@testable import TodoResources

@Suite struct ReminderScheduleTests {
    static let full: JSON = [
        "apiVersion": "todo-operator.dev/v1alpha1", "kind": "ReminderSchedule",
        "metadata": ["name": "before-due", "namespace": "team", "uid": "u-2", "generation": 3],
        "spec": [
            "appRef": ["name": "todo"],
            "schedule": ["cron": "0 8 * * 1-5", "timeZone": "Europe/Berlin"],
            "selector": "priority>=high", "channels": ["Email", "InApp"],
            "quietHours": ["from": "22:00", "to": "07:00", "policy": "Drop"],
            "catchUp": ["window": "3d", "policy": "Latest"], "suspend": true,
        ],
        "status": [
            "observedGeneration": 2, "nextFireTime": "2026-01-01T08:00:00Z", "lastFireTime": "2025-12-31T08:00:00Z",
            "planned": 7, "fired": 6, "delivered": 5, "failed": 1, "expired": 2, "latenessP99Milliseconds": 12,
            "conditions": [
                [
                    "type": "Ready", "status": "True", "observedGeneration": 2,
                    "lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Scheduled", "message": "it fires",
                ]
            ],
        ],
    ]

    @Test func everyFieldOfTheSchemaIsAFieldOfTheTypeAndTheOtherWayRound() throws {
        let encoded = try JSON(encoding: ReminderSchedule(validating: Self.full))
        var expected = Self.full
        expected["apiVersion"] = nil
        expected["kind"] = nil
        #expect(encoded == expected)
        var all = Self.full
        all.set(["1d"], at: "spec", "schedule", "offsets")
        all.set("FREQ=DAILY", at: "spec", "schedule", "rrule")
        for part in ["spec", "status"] {
            let schema = try #require(ReminderSchedule.schema.json.at("properties", part))
            let missing = CustomResourceDefinitionTests.missing(
                from: try #require(all[part]), schema: schema, path: part)
            #expect(missing == [])
        }
    }

    @Test func theLeastSpecGetsDefaults() throws {
        let schedule = try ReminderSchedule(validating: [
            "apiVersion": "todo-operator.dev/v1alpha1", "kind": "ReminderSchedule",
            "metadata": ["name": "r", "namespace": "team"],
            "spec": ["appRef": ["name": "todo"], "schedule": ["offsets": ["1d", "0m"]]],
        ])
        #expect(schedule.spec.channels == [.inApp])
        #expect(schedule.spec.catchUp == .init(window: "24h", policy: .all))
        #expect(schedule.spec.quietHours == nil)
        #expect(!schedule.spec.suspend)
    }

    @Test(
        arguments: [
            (["spec", "appRef"], nil, "spec.appRef: Required value"),
            (["spec", "schedule"], [:], "schedule must have exactly one of offsets, cron and rrule"),
            (["spec", "schedule", "rrule"], "FREQ=DAILY", "schedule must have exactly one of offsets, cron and rrule"),
            (
                ["spec", "schedule"], ["offsets": ["1d"], "timeZone": "Europe/Berlin"],
                "schedule.timeZone goes with cron"
            ),
            (["spec", "schedule"], ["offsets": ["tomorrow"]], "spec.schedule.offsets[0]"),
            (["spec", "schedule"], ["offsets": []], "spec.schedule.offsets: Invalid value"),
            (["spec", "schedule", "timeZone"], "../etc/passwd", "spec.schedule.timeZone"),
            (["spec", "channels"], ["Pager"], "spec.channels[0]: Unsupported value"),
            (["spec", "channels"], [], "spec.channels: Invalid value"),
            (["spec", "quietHours", "from"], "25:00", "spec.quietHours.from"),
            (["spec", "quietHours", "to"], "22:00", "quietHours.from and quietHours.to must differ"),
            (["spec", "catchUp", "window"], "long", "spec.catchUp.window"),
            (["spec", "wat"], 1, "spec.wat: no such field"),
        ] as [([String], JSON?, String)])
    func aBadSpecIsRefusedByNameOfTheField(path: [String], value: JSON?, problem: String) {
        var object = Self.full
        CustomResourceDefinitionTests.set(value, at: path[...], in: &object)
        let error = #expect(throws: InvalidResource.self) { try ReminderSchedule(validating: object) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "accepted")")
    }
}
