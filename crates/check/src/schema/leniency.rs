//! Where an API server takes less than the published schema asks for.

/// Fields, by the kind of the object, that the schema requires and the server fills in or does without.
const OPTIONAL: &[(&str, &str)] = &[
    // Zero, from the type's own default.
    ("PriorityClass", "value"),
    // Headless by name only; validated nowhere.
    ("StatefulSet", "serviceName"),
];

/// Whether an object of `kind` may go without the required field `name`.
pub(super) fn is_optional(kind: &str, name: &str) -> bool {
    OPTIONAL.contains(&(kind, name))
}
