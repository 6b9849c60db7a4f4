public import StructuredData

extension Schema {
    /// `value` with the schema's defaults filled in.
    ///
    /// A null where none is allowed counts as absent: it becomes the default where there is one and is dropped where
    /// there is none. A default is filled in only where the object that holds it is there.
    public func defaulted(_ value: JSON) -> JSON {
        guard fields.mayChangeByDefaulting else { return value }
        var result = value
        fillDefaults(into: &result)
        return result
    }

    private func fillDefaults(into value: inout JSON) {
        switch value {
        case .object(var object):
            value = .null  // lets `object` be mutated in place
            fillDefaults(into: &object)
            value = .object(object)
        case .array(var elements):
            guard let items else { return }
            value = .null
            for index in elements.indices {
                if elements[index].isNull, !items.isNullable, let fallback = items.defaultValue {
                    elements[index] = fallback
                }
                items.fillDefaults(into: &elements[index])
            }
            value = .array(elements)
        default: return
        }
    }

    private func fillDefaults(into object: inout JSONObject) {
        let values = additionalProperties
        object.keepMembers { name, value in
            guard value.isNull, let child = property(name) ?? values else { return true }
            return child.isNullable || child.defaultValue != nil
        }
        for name in propertyNames {
            guard let child = property(name), let fallback = child.defaultValue else { continue }
            let current = object[name]
            if current == nil || (current == .null && !child.isNullable) { object[name] = fallback }
        }
        object.updateValues { name, value in
            guard let child = property(name) ?? values else { return }
            if value.isNull, !child.isNullable, let fallback = child.defaultValue { value = fallback }
            child.fillDefaults(into: &value)
        }
    }
}

extension Schema.Fields {
    /// Scalars have nothing to fill in.
    fileprivate var mayChangeByDefaulting: Bool {
        !properties.isEmpty || items != nil || additionalProperties != nil
    }
}
