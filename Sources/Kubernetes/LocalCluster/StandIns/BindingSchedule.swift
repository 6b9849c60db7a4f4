internal import DaprSidecar
internal import KubernetesClient

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The schedule of a cron binding: as a CronJob's, or with a sixth field before the others, for seconds. In UTC.
enum BindingSchedule {
    static let read: ScheduleReader = { text in
        let fields = text.split(separator: " ")
        guard fields.count == 6 else {
            let expression = try CronExpression(text)
            return { expression.next(after: $0, in: .gmt) }
        }
        let seconds = try CronExpression.field(fields[0], 0...59)
        let minutes = try CronExpression(fields.dropFirst().joined(separator: " "))
        return { next(after: $0, seconds: seconds, of: minutes) }
    }

    private static func next(
        after time: KubernetesTime, seconds: UInt64, of minutes: CronExpression
    ) -> KubernetesTime? {
        let start = time.microseconds / 1_000_000
        let minute = KubernetesTime(seconds: start - start % 60)
        // The rest of this minute, if the other fields take it.
        let later = (seconds >> UInt64(start % 60)) >> 1
        if later != 0, minutes.next(after: minute.advanced(by: .seconds(-60)), in: .gmt) == minute {
            return KubernetesTime(seconds: start + 1 + Int64(later.trailingZeroBitCount))
        }
        return minutes.next(after: time, in: .gmt)?.advanced(by: .seconds(seconds.trailingZeroBitCount))
    }
}
