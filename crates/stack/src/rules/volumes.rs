//! What is deleted with a pod, because no volume outlives it.

use super::Findings;
use crate::model::{Persistence, Stack};

/// A part that keeps data.
struct Keeper<'s> {
    /// Its key.
    key: &'static str,
    /// As messages call it.
    name: &'static str,
    enabled: bool,
    persistence: &'s Persistence,
    /// What a new pod starts without.
    data: &'static str,
    /// Some of the changes that make a new pod, besides what happens to nodes: of settings that stand in the pod's template
    /// or are read only when the program starts. docs/stack.md has all of them.
    changes: &'static str,
}

pub(super) fn check(stack: &Stack, findings: &mut Findings) {
    let keepers = [
        Keeper {
            key: "prometheus",
            name: "Prometheus",
            enabled: stack.prometheus.enabled,
            persistence: &stack.prometheus.persistence,
            data: "samples",
            changes: "`image`, `retention`, `externalUrl` or memory limit",
        },
        Keeper {
            key: "alertmanager",
            name: "Alertmanager",
            // Several tell each other.
            enabled: stack.alertmanager.enabled && stack.alertmanager.replicas.get() == 1,
            persistence: &stack.alertmanager.persistence,
            data: "silences",
            changes: "`image`, `retention`, `externalUrl` or memory limit",
        },
        Keeper {
            key: "grafana",
            name: "Grafana",
            enabled: stack.grafana.enabled,
            persistence: &stack.grafana.persistence,
            data: "users, settings and dashboards made in the browser",
            changes: "`image`, `externalUrl`, label or memory limit",
        },
        Keeper {
            key: "loki",
            name: "Loki",
            enabled: stack.loki.enabled,
            persistence: &stack.loki.persistence,
            data: "logs",
            changes: "`image`, `retention`, `logLevel`, label or memory limit",
        },
    ];
    for Keeper { key, name, data, changes, .. } in
        keepers.iter().filter(|keeper| keeper.enabled && !keeper.persistence.enabled)
    {
        findings.note(
            &[&format!("{key}.persistence.enabled"), &format!("{key}.persistence"), key],
            format!("every new pod of {name} starts without {data}"),
            &format!("another {changes} makes one, or a drained node"),
            &format!("`{key}.persistence.enabled: true` keeps them"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::Stack;
    use vigil_yaml::Source;

    fn notes(text: &str) -> Vec<String> {
        let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
        parsed.notes.iter().map(|note| note.one_line()).collect()
    }

    #[test]
    fn one_line_for_each_part_that_loses_data() {
        let kept = "persistence: {enabled: true}";
        assert_eq!(
            notes(&format!(
                "prometheus: {{{kept}, retentionSize: 1GiB}}\ngrafana: {{{kept}}}\nalertmanager: {{replicas: 2}}\nloki: {{}}\n"
            )),
            [
                "stack.yaml:4:1: every new pod of Loki starts without logs; another `image`, `retention`, `logLevel`, label or \
                 memory limit makes one, or a drained node; `loki.persistence.enabled: true` keeps them"
            ]
        );
        let starts =
            |text: &str| notes(text).iter().map(|note| note.split(' ').nth(5).unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(starts("kubernetes: '1.29'"), ["Alertmanager", "Grafana", "Loki", "Prometheus"]);
        let off = "promtail: {enabled: false}\nloki: {enabled: false}\ngrafana: {enabled: false}\nalertmanager: {enabled: false}\n";
        assert_eq!(starts(off), ["Prometheus"]);
    }
}
