internal import Glibc
internal import Metrics

/// The figures that Prometheus clients give of their own process: `process_cpu_seconds_total`,
/// `process_resident_memory_bytes`, `process_open_fds`, `process_start_time_seconds` (from `/proc/self`).
public enum ProcessMetrics {
    /// Sets the figures each time `registry` is rendered.
    public static func register(in registry: PrometheusRegistry) {
        let cpu = registry.series("process_cpu_seconds_total", [], .counter)
        let memory = Meter(label: "process_resident_memory_bytes", factory: registry)
        let descriptors = Meter(label: "process_open_fds", factory: registry)
        Meter(label: "process_start_time_seconds", factory: registry).set(Double(time(nil)))
        registry.onCollect {
            cpu.set(cpuSeconds())
            memory.set(Double(residentBytes()))
            descriptors.set(Double(openDescriptors()))
        }
    }

    /// User and system time of this process in seconds.
    public static func cpuSeconds() -> Double {
        // Fields 14 and 15 of proc(5) stat, in clock ticks; the name in field 2 may hold spaces, so count from its ")".
        let fields = read("/proc/self/stat").split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = fields.count > 12 ? (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0) : 0
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Memory of this process that is in RAM, in bytes; 0 where `/proc` is not mounted.
    public static func residentBytes() -> Int {
        let pages = read("/proc/self/statm").split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    private static func openDescriptors() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count - 3  // ".", ".." and the one that reads
    }
}
