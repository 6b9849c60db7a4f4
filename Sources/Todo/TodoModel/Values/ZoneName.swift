internal import Recurrence

/// Names of the IANA time zone database, such as `Europe/Berlin`.
public enum ZoneName {
    /// Whether the time zone database of this machine has the zone: `UTC`, `GMT`, or one of an area. Abbreviations such as
    /// `EST`, which stand for more than one thing, are none.
    public static func isKnown(_ zone: String) -> Bool {
        zone == "UTC" || (zone == "GMT" || zone.contains("/")) && ZoneTable.named(zone) != nil
    }
}
