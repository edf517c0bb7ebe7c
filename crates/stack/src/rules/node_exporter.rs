//! What is said of collectors that changes nothing, or too much.

use crate::findings::Findings;
use crate::model::{NodeCollector, NodeExporter, Stack};

const LIST: &str = "node-exporter.collectors";

pub(crate) fn check(exporter: &NodeExporter, stack: &Stack, findings: &mut Findings) {
    if !exporter.enabled {
        return;
    }
    for (at, collector) in exporter.collectors.enable.iter().enumerate() {
        let path = format!("{LIST}.enable.{at}");
        let name = name(*collector);
        if collector.is_usual() {
            no_effect(&path, &format!("`{name}` is on anyway"), findings);
        } else if collector.needs_root() {
            findings.error(
                &[&path],
                format!("`{name}` tells nothing here"),
                "only root may read it, and the pods of node-exporter are not",
                "remove it",
            );
        }
    }
    for (at, collector) in exporter.collectors.disable.iter().enumerate() {
        let path = format!("{LIST}.disable.{at}");
        let name = name(*collector);
        if !collector.is_usual() {
            no_effect(&path, &format!("`{name}` is off anyway"), findings);
        } else if collector.is_asked() && stack.prometheus.enabled && (stack.alerts.enabled || stack.grafana.enabled) {
            findings.warning(
                &[&path],
                format!("alerts and dashboards of nodes ask for what `{name}` tells"),
                "those alerts never fire, and those panels are empty",
                "leave it on, or know that nobody watches it",
            );
        }
    }
}

fn no_effect(path: &str, message: &str, findings: &mut Findings) {
    findings.error(&[path], message, "changes nothing", "remove it");
}

/// As it is written in `stack.yaml`, and in the flag.
fn name(collector: NodeCollector) -> String {
    serde_json::to_value(collector).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn of_many_collectors_the_one_that_is_meant_is_named() {
        let text = "node-exporter: {collectors: {disable: [filesystm]}}\n";
        let problems = Stack::parse(&Source::new("stack.yaml", text)).unwrap_err();
        assert_eq!(problems[0].label.as_deref(), Some("did you mean `filesystem`?"));
    }

    #[test]
    fn collectors_that_change_nothing_or_too_much() {
        for (collectors, is_wrong, expected) in [
            ("enable: [systemd, processes]", false, None),
            ("disable: [wifi]", true, Some("`wifi` is off anyway")),
            ("enable: [cpu]", true, Some("`cpu` is on anyway")),
            ("enable: [slabinfo]", true, Some("`slabinfo` tells nothing here")),
            ("enable: [systmd]", true, Some("`node-exporter.collectors.enable[0]` cannot be `systmd`")),
            ("disable: [zfs]", false, None),
            ("disable: [filesystem]", false, Some("alerts and dashboards of nodes ask for what `filesystem` tells")),
        ] {
            let text = format!("promtail: {{enabled: false}}\nnode-exporter: {{collectors: {{{collectors}}}}}\n");
            let parsed = Stack::parse(&Source::new("stack.yaml", text));
            assert_eq!(parsed.is_err(), is_wrong, "{collectors}");
            let problems = parsed.map_or_else(|problems| problems, |parsed| parsed.warnings);
            let found: Vec<_> = problems.into_iter().map(|problem| problem.message).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{collectors}");
        }
    }
}
