//! Rules over all clusters that nobody would evaluate, or hear of.

use super::{Kept, without_volume};
use crate::findings::Findings;
use crate::model::{Stack, ThanosRuler};

const KEPT: Kept = Kept {
    part: "thanos-ruler",
    name: "Thanos' ruler",
    data: "what it has recorded and not uploaded, and anew with alerts that wait",
    changes: "`thanos.image`, `thanos.logLevel`, `retention`, pod label or memory limit",
};

pub(crate) fn check(ruler: &ThanosRuler, stack: &Stack, findings: &mut Findings) {
    if !ruler.enabled {
        return;
    }
    if !stack.thanos.enabled {
        findings.error(
            &["thanos-ruler.enabled", "thanos.enabled"],
            "the ruler has nobody to ask: the stack has no Thanos",
            "`thanos.enabled` is `false`",
            "set `thanos.enabled: true`, or `thanos-ruler.enabled: false`",
        );
    }
    if ruler.replicas.get() == 0 {
        findings.error(
            &["thanos-ruler.replicas"],
            "with `replicas: 0` no rule is evaluated",
            "expected 1 at least",
            "set `thanos-ruler.enabled: false` to switch it off",
        );
    }
    let has_alerts = stack.alerts.enabled && !ruler.clusters.is_empty();
    if !has_alerts && ruler.rules.is_empty() {
        findings.warning(
            &["thanos-ruler.enabled"],
            "the ruler has no rule",
            "`thanos-ruler.clusters` and `.rules` are empty, or `alerts.enabled` is `false`",
            "list the clusters whose samples are expected, or rules of your own",
        );
    }
    if !stack.alertmanager.enabled {
        findings.warning(
            &["thanos-ruler.enabled", "alertmanager.enabled"],
            "alerts of the ruler reach nobody: the stack has no Alertmanager",
            "`alertmanager.enabled` is `false`",
            "set `alertmanager.enabled: true`",
        );
    }
    let scaled = "thanos-ruler.pods.verticalAutoscaler";
    if findings.says(scaled) {
        findings.error(
            &[scaled],
            format!("`{scaled}` has no effect"),
            "a ThanosRuler has no scale, by which an autoscaler would find its pods",
            "remove it, and choose `thanos-ruler.pods.resources`",
        );
    }
    without_volume(&KEPT, &ruler.persistence, findings);
    for (at, cluster) in ruler.clusters.iter().enumerate() {
        if ruler.clusters[..at].contains(cluster) {
            findings.error(
                &[&format!("thanos-ruler.clusters.{at}")],
                format!("the cluster `{cluster}` is listed twice"),
                "each falls silent once",
                "remove one of the two",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn rules_that_nobody_evaluates_or_hears_of_are_said() {
        for (ruler, rest, message) in [
            ("clusters: [a, b]", "", None),
            ("", "", Some("the ruler has no rule")),
            ("clusters: [a]", "alerts: {enabled: false}\n", Some("the ruler has no rule")),
            ("clusters: [a, b, a]", "", Some("the cluster `a` is listed twice")),
            ("clusters: [a], replicas: 0", "", Some("with `replicas: 0` no rule is evaluated")),
            (
                "clusters: [a]",
                "alertmanager: {enabled: false}\n",
                Some("alerts of the ruler reach nobody: the stack has no Alertmanager"),
            ),
        ] {
            let text = format!(
                "objectStorage: {{s3: {{endpoint: a.b}}, buckets: {{thanos: metrics}}}}\n\
                 prometheus: {{retention: 2d, externalLabels: {{cluster: a}}}}\nthanos: {{enabled: true}}\n{rest}\
                 thanos-ruler: {{enabled: true, {ruler}}}\n"
            );
            let problems = match Stack::parse(&Source::new("stack.yaml", text)) {
                Ok(parsed) => parsed.warnings,
                Err(problems) => problems,
            };
            let found: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
            match message {
                None => assert!(!found.iter().any(|found| found.contains("ruler")), "{ruler}: {found:?}"),
                Some(message) => assert!(found.contains(&message), "{ruler}: {found:?}"),
            }
        }
    }
}
