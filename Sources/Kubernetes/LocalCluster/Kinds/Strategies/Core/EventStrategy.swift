internal import KubernetesSchema
internal import StructuredData

/// Events, in the core group and in `events.k8s.io`.
struct EventStrategy: ResourceStrategy {
    let isCoreView: Bool
    var allowsCreateOnUpdate: Bool { true }

    /// Writes the fields that Go always writes, so that clients find them.
    func applyDefaults(_ object: inout JSON) {
        let (reference, source, first, last, component) =
            isCoreView
            ? ("involvedObject", "source", "firstTimestamp", "lastTimestamp", "reportingComponent")
            : (
                "regarding", "deprecatedSource", "deprecatedFirstTimestamp", "deprecatedLastTimestamp",
                "reportingController"
            )
        for key in [reference, source] { object.setDefault(key, [:]) }
        for key in [first, last, "eventTime"] where object[key] == nil { object[key] = .null }
        for key in [component, "reportingInstance"] where object[key] == nil { object[key] = "" }
    }

    func validate(_ object: JSON, old: JSON?, subresource: String?) -> [FieldError] {
        var faults = Faults()
        let reference = isCoreView ? "involvedObject" : "regarding"
        let namespace = object.at("metadata", "namespace").text
        let involved = object.at(reference, "namespace").text
        if involved.isEmpty {
            if namespace != "default", namespace != "" {
                faults.invalid("involvedObject.namespace", "", "does not match event.namespace")
            }
        } else if involved != namespace {
            faults.invalid("involvedObject.namespace", .string(involved), "does not match event.namespace")
        }
        if !isCoreView, old == nil { checkNewForm(object, &faults) }
        return faults.errors
    }

    private func checkNewForm(_ object: JSON, _ faults: inout Faults) {
        if object["eventTime"].isEmptyValue { faults.required("eventTime") }
        for key in ["reportingController", "reportingInstance", "action", "reason"] where object[key].isEmptyValue {
            faults.required(key)
        }
        if let controller = object["reportingController"]?.string, !controller.isEmpty {
            faults.invalid("reportingController", .string(controller), Validators.qualifiedName(controller))
        }
        if !["Normal", "Warning"].contains(object["type"].text) {
            faults.invalid("type", object["type"] ?? "", "has invalid value: \(object["type"].text)")
        }
        for key in ["deprecatedFirstTimestamp", "deprecatedLastTimestamp"] where !object[key].isEmptyValue {
            faults.invalid(key, object[key], "needs to be unset")
        }
    }
}
