/// The release that this source makes.
public enum ProductVersion {
    public static let current = "0.1.0"
    /// The image of this release: the operator, every service and the workers are subcommands of its one executable.
    public static let image = "ghcr.io/todo-operator/todo:\(current)"
}
