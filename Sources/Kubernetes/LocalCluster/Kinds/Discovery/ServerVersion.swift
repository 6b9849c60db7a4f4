internal import StructuredData

/// The Kubernetes release whose API is served.
enum ServerVersion {
    static let major = "1"
    static let minor = "36"
    static let gitVersion = "v1.36.2+todo"

    /// The answer to `/version`.
    static var document: JSON {
        #if arch(arm64)
            let platform = "linux/arm64"
        #else
            let platform = "linux/amd64"
        #endif
        return [
            "major": .string(major), "minor": .string(minor), "emulationMajor": .string(major),
            "emulationMinor": .string(minor), "minCompatibilityMajor": .string(major), "minCompatibilityMinor": "35",
            "gitVersion": .string(gitVersion), "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "swift",
            "platform": .string(platform),
        ]
    }
}
