/// One form of a function: what it takes and what it gives.
struct CELSignature: Sendable {
    let name: String
    /// Whether the first parameter stands before the dot.
    let isMember: Bool
    let parameters: [CELType]
    let result: CELType

    /// Reads `list<A>.indexOf(A) int`; the name of a function in a namespace has an `@` before it: `@sets.contains(…)`.
    init(_ text: Substring) {
        let open = text.firstIndex(of: "(") ?? text.endIndex
        let close = text.lastIndex(of: ")") ?? text.endIndex
        var head = text[..<open]
        var types = Self.split(text[open..<close].dropFirst())
        let dot = head.lastIndex(of: ".")
        if head.first == "@", head.dropFirst().contains(".") {
            head = head.dropFirst()
            isMember = false
        } else if let dot {
            types.insert(head[..<dot], at: 0)
            head = head[head.index(after: dot)...]
            isMember = true
        } else {
            isMember = false
        }
        name = String(head)
        parameters = types.map(Self.type)
        result = Self.type(text[close...].dropFirst())
    }

    private static func split(_ list: Substring) -> [Substring] {
        var parts: [Substring] = []
        var depth = 0
        var start = list.startIndex
        for index in list.indices {
            switch list[index] {
            case "<": depth += 1
            case ">": depth -= 1
            case "," where depth == 0:
                parts.append(list[start..<index])
                start = list.index(after: index)
            default: break
            }
        }
        if !list.isEmpty { parts.append(list[start...]) }
        return parts
    }

    private static func type(_ text: Substring) -> CELType {
        let name = text.drop { $0 == " " }
        guard let open = name.firstIndex(of: "<") else {
            if name.count == 1 { return .parameter(String(name)) }
            return name == "dyn" ? .dyn : .named(longNames[String(name)] ?? String(name))
        }
        let inner = split(name[open...].dropFirst().dropLast()).map(type)
        switch name[..<open] {
        case "list": return .list(inner[0])
        case "optional": return .optional(inner[0])
        default: return .map(inner[0], inner[1])
        }
    }

    private static let longNames = [
        "timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration",
        "quantity": "kubernetes.Quantity", "url": "kubernetes.URL", "ip": "net.IP", "cidr": "net.CIDR",
        "semver": "kubernetes.Semver", "format": "kubernetes.NamedFormat", "null": "null_type",
    ]
}

extension CELSignature {
    /// All functions by name.
    static let all: [String: [CELSignature]] = Dictionary(
        grouping: table.split(separator: "\n").flatMap { line in
            // `f(a) b | c` gives the same function for several types in place of `T`.
            let parts = line.split(separator: "|")
            guard parts.count == 2 else { return [CELSignature(line)] }
            return parts[1].split(separator: " ").map { type in
                CELSignature(parts[0].replacing("T", with: type).drop { $0 == " " })
            }
        }, by: \.name)

    /// First names of functions with a dot: `sets.contains`.
    static let namespaces: Set<String> = Set(
        all.keys.compactMap { name in name.firstIndex(of: ".").map { String(name[..<$0]) } })

    private static let table = """
        !_(bool) bool
        -_(T) T| int double duration
        _+_(T,T) T| int uint double string bytes list<A> duration
        _+_(timestamp,duration) timestamp
        _+_(duration,timestamp) timestamp
        _-_(T,T) T| int uint double duration
        _-_(timestamp,timestamp) duration
        _-_(timestamp,duration) timestamp
        _*_(T,T) T| int uint double
        _/_(T,T) T| int uint double
        _%_(T,T) T| int uint
        _==_(A,A) bool
        _!=_(A,A) bool
        _<_(T,T) bool| bool int uint double string bytes timestamp duration
        _<_(int,T) bool| uint double
        _<_(uint,T) bool| int double
        _<_(double,T) bool| int uint
        @in(A,list<A>) bool
        @in(A,map<A,B>) bool
        _[_](list<A>,int) A
        _[_](map<A,B>,A) B
        _[?_](list<A>,int) optional<A>
        _[?_](map<A,B>,A) optional<B>
        _[?_](optional<list<A>>,int) optional<A>
        _[?_](optional<map<A,B>>,A) optional<B>
        size(T) int| string bytes list<A> map<A,B>
        T.size() int| string bytes list<A> map<A,B>
        type(A) type
        dyn(A) dyn
        bool(T) bool| bool string
        int(T) int| int uint double string timestamp
        uint(T) uint| int uint double string
        double(T) double| int uint double string
        string(T) string| bool int uint double string bytes timestamp duration url ip cidr
        bytes(T) bytes| bytes string
        timestamp(T) timestamp| timestamp string int
        duration(T) duration| duration string
        matches(string,string) bool
        string.T(string) bool| matches startsWith endsWith contains
        string.charAt(int) string
        string.T(string) int| indexOf lastIndexOf
        string.T(string,int) int| indexOf lastIndexOf
        string.T() string| lowerAscii upperAscii trim reverse
        string.replace(string,string) string
        string.replace(string,string,int) string
        string.split(string) list<string>
        string.split(string,int) list<string>
        string.substring(int) string
        string.substring(int,int) string
        string.format(list<dyn>) string
        @strings.quote(string) string
        list<string>.join() string
        list<string>.join(string) string
        string.find(string) string
        string.findAll(string) list<string>
        string.findAll(string,int) list<string>
        list<A>.isSorted() bool
        list<A>.T() A| sum min max
        list<A>.T(A) int| indexOf lastIndexOf
        list<A>.T() list<A>| distinct sort reverse
        list<A>.flatten() list<dyn>
        list<A>.flatten(int) list<dyn>
        list<A>.slice(int,int) list<A>
        list<A>.first() optional<A>
        list<A>.last() optional<A>
        @lists.range(int) list<int>
        @sets.T(list<A>,list<A>) bool| contains equivalent intersects
        timestamp.T() int| getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear
        timestamp.T(string) int| getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear
        timestamp.T() int| getHours getMinutes getSeconds getMilliseconds
        timestamp.T(string) int| getHours getMinutes getSeconds getMilliseconds
        duration.T() int| getHours getMinutes getSeconds getMilliseconds
        @optional.of(A) optional<A>
        @optional.ofNonZeroValue(A) optional<A>
        @optional.none() optional<A>
        optional<A>.hasValue() bool
        optional<A>.value() A
        optional<A>.or(optional<A>) optional<A>
        optional<A>.orValue(A) A
        quantity(string) quantity
        isQuantity(string) bool
        quantity.isInteger() bool
        quantity.asInteger() int
        quantity.asApproximateFloat() double
        quantity.sign() int
        quantity.T(quantity) quantity| add sub
        quantity.T(int) quantity| add sub
        quantity.T(quantity) bool| isLessThan isGreaterThan
        quantity.compareTo(quantity) int
        url(string) url
        isURL(string) bool
        url.T() string| getScheme getHost getHostname getPort getEscapedPath
        url.getQuery() map<string,list<string>>
        ip(string) ip
        isIP(string) bool
        @ip.isCanonical(string) bool
        ip.family() int
        ip.T() bool| isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast
        cidr(string) cidr
        isCIDR(string) bool
        cidr.containsIP(T) bool| ip string
        cidr.containsCIDR(T) bool| cidr string
        cidr.ip() ip
        cidr.masked() cidr
        cidr.prefixLength() int
        semver(string) semver
        semver(string,bool) semver
        isSemver(string) bool
        isSemver(string,bool) bool
        semver.T() int| major minor patch
        semver.T(semver) bool| isLessThan isGreaterThan
        semver.compareTo(semver) int
        @format.named(string) optional<format>
        @format.T() format| dns1123Label dns1123Subdomain dns1035Label qualifiedName labelValue
        @format.T() format| dns1123LabelPrefix dns1123SubdomainPrefix dns1035LabelPrefix
        @format.T() format| uri uuid byte date datetime
        format.validate(string) optional<list<string>>
        """
}
