internal import Glibc

/// Names of the IANA time zone database, such as `Europe/Berlin`.
public enum ZoneName {
    private static let database = "/usr/share/zoneinfo"

    /// Whether the time zone database of this machine has the zone.
    public static func isKnown(_ zone: String) -> Bool {
        guard zone == "UTC" || isWellFormed(zone) else { return false }
        // The folder also holds lists and rule files; those whose names are not zones' begin in lower case or have a dot.
        return zone == "UTC" || access("\(database)/\(zone)", R_OK) == 0
    }

    /// `Area/Place` or one word, in the characters that the database uses; never a path that leads elsewhere.
    private static func isWellFormed(_ zone: String) -> Bool {
        let parts = zone.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard zone.utf8.count <= 64, parts.count > 1 || zone.hasPrefix("Etc") || zone == "GMT" else { return false }
        return parts.allSatisfy { part in
            guard let first = part.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return false }
            return part.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"):
                    true
                default: false
                }
            }
        }
    }
}
