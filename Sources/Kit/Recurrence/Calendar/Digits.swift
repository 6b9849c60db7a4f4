/// Nil when there is anything but digits.
func decimal(_ digits: some Collection<UInt8>) -> Int? {
    var value = 0
    for digit in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
        value = value * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return value
}

/// With zeros in front.
func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

extension Int {
    /// The remainder that is never negative.
    @inline(__always) func modulo(_ divisor: Int) -> Int {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }

    /// The quotient, rounded down.
    @inline(__always) func floored(by divisor: Int) -> Int {
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }

    /// The least number of the form `anchor + k * step` that is not below this.
    @inline(__always) func alignedUp(to anchor: Int, step: Int) -> Int {
        step == 1 ? self : self + (anchor - self).modulo(step)
    }

    /// The greatest number of the form `anchor + k * step` that is not above this.
    @inline(__always) func alignedDown(to anchor: Int, step: Int) -> Int {
        step == 1 ? self : self - (self - anchor).modulo(step)
    }
}
