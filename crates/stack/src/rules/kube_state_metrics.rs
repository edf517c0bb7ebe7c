//! What kube-state-metrics is to tell of resources that it does not know.

use crate::findings::Findings;
use crate::model::{KubeStateMetrics, Stack};
use vigil_yaml::words::nearest;

pub(crate) fn check(settings: &KubeStateMetrics, _: &Stack, findings: &mut Findings) {
    if !settings.enabled {
        return;
    }
    let told: Vec<_> = settings.told().into_iter().map(|(name, _)| name).collect();
    for (key, list) in [
        ("metricLabelsAllowlist", &settings.metric_labels_allowlist),
        ("metricAnnotationsAllowlist", &settings.metric_annotations_allowlist),
    ] {
        for resource in list.keys().filter(|resource| !told.contains(&resource.as_str())) {
            let near = nearest(resource.as_str(), told.iter().copied());
            let label = near.map_or_else(
                || "expected a resource in the plural, such as `pods`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            findings.error(
                &[&format!("kube-state-metrics.{key}.{resource}")],
                format!("kube-state-metrics tells nothing of `{resource}`"),
                &label,
                &format!("it tells of {}", told.join(", ")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::model::Stack;
    use vigil_yaml::Source;

    #[test]
    fn resources_are_those_that_it_tells_of() {
        for (settings, expected) in [
            ("metricLabelsAllowlist: {pods: [team, example.com/team, '*']}", None),
            ("metricLabelsAllowlist: {pod: [team]}", Some("kube-state-metrics tells nothing of `pod`")),
            ("metricAnnotationsAllowlist: {secrets: ['*']}", Some("kube-state-metrics tells nothing of `secrets`")),
            ("secrets: true, metricAnnotationsAllowlist: {secrets: ['*']}", None),
        ] {
            let text = format!("kube-state-metrics: {{{settings}}}\n");
            let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            let found: Vec<_> = found.into_iter().map(|problem| problem.message).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{settings}");
        }
    }
}
