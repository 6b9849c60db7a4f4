/// Custom resources: all that they need is in their schema.
struct CustomResourceStrategy: ResourceStrategy {
    var generation: GenerationRule { .everythingButStatus }
    /// A custom resource is never written without its resourceVersion, but for patches.
    var allowsUnconditionalUpdate: Bool { false }
}
