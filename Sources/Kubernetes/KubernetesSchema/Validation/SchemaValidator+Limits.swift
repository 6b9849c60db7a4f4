internal import StructuredData

extension SchemaValidator {
    /// Checks bounds, patterns and enumerations; each holds for values of its own type only.
    func check(_ value: JSON, _ limits: Schema.Limits, _ path: String, into result: inout Result) {
        let before = result.errors.count
        switch value {
        case .string(let text): check(text, limits, path, into: &result)
        case .number(let number): check(number, limits, path, into: &result)
        case .array(let elements): check(elements, limits, path, into: &result)
        case .object(let object):
            if let minimum = limits.minProperties, object.count < minimum {
                let detail = "\(path) in body should have at least \(minimum) properties"
                result.errors.append(.invalid(path, JSON(object.count), detail))
            }
            if let maximum = limits.maxProperties, object.count > maximum {
                result.errors.append(.tooMany(path, actual: object.count, maximum: maximum))
            }
        default: break
        }
        if !limits.enumeration.isEmpty, !limits.enumeration.contains(value) {
            let supported = limits.enumeration.map { $0.string ?? $0.text }
            result.errors.append(.notSupported(path, value, supported))
        }
        if result.errors.count == before { result.matches += 1 }
    }

    private func check(_ text: String, _ limits: Schema.Limits, _ path: String, into result: inout Result) {
        let isMeasured = limits.maxLength != nil || limits.minLength != nil
        let length = isMeasured ? text.unicodeScalars.count : 0
        if let maximum = limits.maxLength, length > maximum {
            result.errors.append(.tooLong(path, maximum: maximum))
        }
        if let minimum = limits.minLength, length < minimum {
            let detail = "\(path) in body should be at least \(minimum) chars long"
            result.errors.append(.invalid(path, .string(text), detail))
        }
        if let pattern = limits.pattern, !pattern.matches(text) {
            result.errors.append(.invalid(path, .string(text), "\(path) in body should match '\(pattern.text)'"))
        }
    }

    private func check(_ number: JSONNumber, _ limits: Schema.Limits, _ path: String, into result: inout Result) {
        func fail(_ text: String) {
            result.errors.append(.invalid(path, .number(number), "\(path) in body should be \(text)"))
        }
        if let factor = limits.multipleOf, !isMultiple(number, of: factor) {
            fail("a multiple of \(factor.text)")
        }
        if let maximum = limits.maximum {
            let isOver = limits.isMaximumExclusive ? !isLess(number, maximum) : isLess(maximum, number)
            if isOver { fail("less than \(limits.isMaximumExclusive ? "" : "or equal to ")\(maximum.text)") }
        }
        if let minimum = limits.minimum {
            let isUnder = limits.isMinimumExclusive ? !isLess(minimum, number) : isLess(number, minimum)
            if isUnder { fail("greater than \(limits.isMinimumExclusive ? "" : "or equal to ")\(minimum.text)") }
        }
    }

    private func check(_ elements: [JSON], _ limits: Schema.Limits, _ path: String, into result: inout Result) {
        if let minimum = limits.minItems, elements.count < minimum {
            let detail = "\(path) in body should have at least \(minimum) items"
            result.errors.append(.invalid(path, JSON(elements.count), detail))
        }
        if let maximum = limits.maxItems, elements.count > maximum {
            result.errors.append(.tooMany(path, actual: elements.count, maximum: maximum))
        }
        if limits.uniqueItems, Set(elements).count < elements.count {
            result.errors.append(.invalid(path, "", "\(path) in body shouldn't contain duplicates"))
        }
    }

    private func isLess(_ left: JSONNumber, _ right: JSONNumber) -> Bool {
        if let left = left.int, let right = right.int { return left < right }
        return left.double < right.double
    }

    private func isMultiple(_ number: JSONNumber, of factor: JSONNumber) -> Bool {
        if let number = number.int, let factor = factor.int, factor != 0 { return number % factor == 0 }
        let quotient = number.double / factor.double
        return quotient == quotient.rounded()
    }
}
