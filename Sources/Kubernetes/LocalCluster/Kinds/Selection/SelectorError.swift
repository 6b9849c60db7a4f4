/// A selector that could not be understood; answered with 400 `BadRequest`.
public struct SelectorError: Error, Hashable {
    public let message: String
}
