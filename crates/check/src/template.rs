//! Marks of templates in manifests, which some other program has to fill in before an API server may have them.

/// What to do about a line in which a template stands where a value should; nothing where it has none. `is_broken` says
/// that the line is no YAML.
pub(crate) fn unfilled(line: &str, is_broken: bool) -> Option<&'static str> {
    let (_, inside) = line.split_once("{{")?;
    let of_alerts = ["$labels", "$value", "$externalLabels", "$externalURL", ".Labels", ".Annotations"];
    match of_alerts.iter().any(|variable| inside.contains(variable)) {
        true if is_broken => Some("put quotes around the whole value: to YAML an open brace begins a mapping"),
        true => None,
        false => Some("this is a template of Helm: `helm template CHART | vigil check -` checks what it makes"),
    }
}
