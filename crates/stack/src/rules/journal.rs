//! Where no journal can be read.

use crate::findings::Findings;
use crate::model::{Cluster, JOURNAL_LABELS, Journal, Stack};

/// Judges what a collector, given by its key, reads of the journal of nodes.
pub(super) fn check(part: &str, journal: &Journal, stack: &Stack, findings: &mut Findings) {
    if !journal.enabled {
        return;
    }
    let path = |key: &str| format!("{part}.journal.{key}");
    let missing = match stack.cluster {
        Cluster::Talos => Some(("nodes of Talos have no journal", "they run no systemd")),
        Cluster::GkeAutopilot => Some((
            "Autopilot lets no pod read the journal of its node",
            "pods may mount nothing but what is in `/var/log`",
        )),
        _ => None,
    };
    if let Some((message, label)) = missing {
        findings.error(&[&path("enabled"), "cluster"], message, label, &format!("remove `{part}.journal`"));
    }
    if journal.max_age.length().is_zero() {
        findings.error(
            &[&path("maxAge")],
            "`maxAge` is nothing",
            "the whole journal would be read, from its beginning",
            "say how far back it is read, such as `7h`",
        );
    }
    for label in journal.labels.keys().filter(|label| JOURNAL_LABELS.contains(&label.as_str())) {
        findings.error(
            &[&path(&format!("labels.{label}"))],
            format!("each line of the journal has a `{label}` of its own"),
            "the label would not be seen",
            "call it otherwise, or remove it",
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn where_there_is_a_journal() {
        for (text, message) in [
            ("promtail: {journal: {enabled: true}}", None),
            ("promtail: {journal: {enabled: true, maxAge: 1d, labels: {job: nodes, site: a}}}", None),
            ("cluster: talos\npromtail: {journal: {enabled: true}}", Some("nodes of Talos have no journal")),
            ("cluster: talos\npromtail: {enabled: false, journal: {enabled: true}}", None),
            (
                "cluster: gke-autopilot\npromtail: {journal: {enabled: true}}",
                Some("Autopilot lets no pod read the journal of its node"),
            ),
            ("promtail: {journal: {enabled: true, maxAge: 0s}}", Some("`maxAge` is nothing")),
            (
                "promtail: {enabled: false}\nalloy: {enabled: true, journal: {enabled: true, labels: {unit: a}}}",
                Some("each line of the journal has a `unit` of its own"),
            ),
        ] {
            let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            let found: Vec<_> = found.into_iter().map(|problem| problem.message).collect();
            assert_eq!(found, Vec::from_iter(message.map(str::to_owned)), "{text}");
        }
    }
}
