internal import Glibc

/// How many files and connections this process may have open at once.
public enum DescriptorLimit {
    /// Takes as many as the system gives: what programs begin with, 1024 mostly, is meant for those that use `select`, and
    /// a few hundred people take more. Returns how many these are; nil where the system does not say.
    @discardableResult
    public static func raise() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        var raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
        let isRaised = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0
        return Int(clamping: isRaised ? raised.rlim_cur : limit.rlim_cur)
    }
}
