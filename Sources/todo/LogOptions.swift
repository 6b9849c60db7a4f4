public import ArgumentParser
public import Logging
public import Telemetry

struct LogOptions: ParsableArguments {
    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level?

    @Option(help: "json, or text; text when standard error is a terminal.")
    var logFormat: Telemetry.LogFormat = Telemetry.defaultLogFormat

    func bootstrap(defaultLevel: Logger.Level = .info) -> PrometheusRegistry {
        Telemetry.bootstrap(level: logLevel ?? defaultLevel, format: logFormat)
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
extension Telemetry.LogFormat: ExpressibleByArgument {}
