// libFuzzer on one of our parsers: looks for input that traps, hangs, eats memory or breaks what `FuzzTarget` says holds.
//
//     fuzz TARGET [libFuzzer's options] [folders of inputs, the first of them for new ones]

import CFuzzer
import Glibc

guard CommandLine.arguments.count > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
    print("fuzz: name one of", FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))
    exit(2)
}
FuzzTarget.chosen = target

var arguments = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) }
var count = Int32(arguments.count)
arguments.append(nil)
let status = arguments.withUnsafeMutableBufferPointer { buffer in
    var pointer = buffer.baseAddress
    return LLVMFuzzerRunDriver(&count, &pointer) { data, size in
        FuzzTarget.chosen?.run(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
    }
}
exit(status)
