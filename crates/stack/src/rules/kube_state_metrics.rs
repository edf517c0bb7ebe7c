//! What kube-state-metrics is to tell of resources that it does not know.

use crate::findings::Findings;
use crate::model::{KubeStateMetrics, Stack};
use vigil_yaml::words::nearest;

pub(crate) fn check(settings: &KubeStateMetrics, _: &Stack, findings: &mut Findings) {
    if !settings.enabled {
        return;
    }
    if settings.shards.get() == 0 {
        findings.error(
            &["kube-state-metrics.shards"],
            "kube-state-metrics with no shards tells of nothing",
            "expected 1 or more",
            "set `kube-state-metrics.enabled: false` to do without",
        );
    }
    for (at, resource) in settings.custom_resource_state.iter().enumerate() {
        if let Some(fault) = resource.fault() {
            findings.error(
                &[&format!("kube-state-metrics.customResourceState.{at}")],
                format!("the custom resource {fault}"),
                "kube-state-metrics could make nothing of it",
                "docs/stack.md has an example",
            );
        }
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

    fn custom(labels: &str, name: &str, each: &str) -> String {
        format!(
            "customResourceState: [{{groupVersionKind: {{group: a.b, version: v1, kind: A}}, commonLabels: {labels}, metrics: \
             [{{name: {name}, each: {{{each}}}}}]}}]"
        )
    }

    #[test]
    fn rights_are_given_by_the_plural() {
        for (kind, more, plural) in [
            ("Certificate", "", "certificates"),
            ("NetworkPolicy", "", "networkpolicies"),
            ("Gateway", "", "gateways"),
            ("IngressClass", "", "ingressclasses"),
            ("*", "", "*"),
            ("Prometheus", ", resourcePlural: prometheuses", "prometheuses"),
        ] {
            let text = format!(
                "kube-state-metrics: {{customResourceState: [{{groupVersionKind: {{group: a.b, version: v1, kind: '{kind}'}}{more}, \
                 metrics: [{{name: a, each: {{type: Info, info: {{}}}}}}]}}]}}\n"
            );
            let stack = Stack::parse(&Source::new("stack.yaml", text)).unwrap().stack;
            let found: Vec<_> =
                stack.kube_state_metrics.custom_resources().map(crate::model::CustomResource::plural).collect();
            assert_eq!(found, [plural]);
        }
    }

    #[test]
    fn resources_are_those_that_it_tells_of() {
        for (settings, expected) in [
            ("metricLabelsAllowlist: {pods: [team, example.com/team, '*']}", None),
            ("shards: 0", Some("kube-state-metrics with no shards tells of nothing")),
            ("metricLabelsAllowlist: {pod: [team]}", Some("kube-state-metrics tells nothing of `pod`")),
            ("metricAnnotationsAllowlist: {secrets: ['*']}", Some("kube-state-metrics tells nothing of `secrets`")),
            ("secrets: true, metricAnnotationsAllowlist: {secrets: ['*']}", None),
            (&custom("{}", "a", "type: Info, info: {labelsFromPath: {a: [b], '*': [metadata, labels]}}"), None),
            (
                &custom("{}", "a-b", "type: Info, info: {}"),
                Some("the custom resource makes a metric `kube_customresource_a-b`, which is no name of one"),
            ),
            (
                &custom("{}", "a", "type: Gauge, info: {}"),
                Some(
                    "the custom resource has a metric `kube_customresource_a` of the type of `gauge`, which needs that key and \
                     no other one",
                ),
            ),
            (
                &custom("{b-c: d}", "a", "type: Info, info: {}"),
                Some("the custom resource has a label `b-c`, which is no name of one"),
            ),
            (
                "customResourceState: [{groupVersionKind: {group: '*', version: v1, kind: A}, metrics: []}]",
                Some("the custom resource asks for the group `*`, and only `version` and `kind` may be `*`"),
            ),
        ] {
            let text = format!("kube-state-metrics: {{{settings}}}\n");
            let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            let found: Vec<_> = found.into_iter().map(|problem| problem.message).collect();
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{settings}");
        }
    }
}
