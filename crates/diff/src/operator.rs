//! What the Prometheus operator makes of a change to one of its objects: from `pkg/prometheus` and `pkg/alertmanager` of
//! prometheus-operator 0.87.
//!
//! The object becomes a StatefulSet and a Secret with the configuration. A field of the configuration is reloaded by the
//! program, one of the StatefulSet's template replaces its pods, and one that a StatefulSet cannot change (`IsInvalid`
//! of the update) makes the operator delete it with its pods, in the foreground, and make it anew.

use crate::change::Change;
use crate::object::text;
use serde_json::Value;

/// What becomes of the StatefulSet behind an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reaction {
    /// The program reads a new configuration.
    Reloaded,
    /// More or fewer pods, the others stay.
    Scaled,
    /// Every pod is replaced.
    Replaced,
    /// The StatefulSet is deleted with its pods, and made anew.
    Recreated,
}

/// Fields of `spec` that reach the program's configuration only: `promcfg.go` reads them, `statefulset.go` does not.
const CONFIGURATION: &[&str] = &[
    "additionalAlertManagerConfigs",
    "additionalAlertRelabelConfigs",
    "additionalScrapeConfigs",
    "alerting",
    "alertmanagerConfigMatcherStrategy",
    "alertmanagerConfigNamespaceSelector",
    "alertmanagerConfigSelector",
    "apiserverConfig",
    "arbitraryFSAccessThroughSMs",
    "bodySizeLimit",
    "convertClassicHistogramsToNHCB",
    "enforcedBodySizeLimit",
    "enforcedKeepDroppedTargets",
    "enforcedLabelLimit",
    "enforcedLabelNameLengthLimit",
    "enforcedLabelValueLengthLimit",
    "enforcedNamespaceLabel",
    "enforcedSampleLimit",
    "enforcedTargetLimit",
    "evaluationInterval",
    "excludedFromEnforcement",
    "exemplars",
    "externalLabels",
    "ignoreNamespaceSelectors",
    "keepDroppedTargets",
    "labelLimit",
    "labelNameLengthLimit",
    "labelValueLengthLimit",
    "nameEscapingScheme",
    "nameValidationScheme",
    "otlp",
    "overrideHonorLabels",
    "overrideHonorTimestamps",
    "paused",
    "podMonitorNamespaceSelector",
    "podMonitorSelector",
    "podTargetLabels",
    "probeNamespaceSelector",
    "probeSelector",
    "prometheusExternalLabelName",
    "prometheusRulesExcludedFromEnforce",
    "remoteRead",
    "remoteWrite",
    "replicaExternalLabelName",
    "ruleNamespaceSelector",
    "ruleQueryOffset",
    "ruleSelector",
    "sampleLimit",
    "scrapeClasses",
    "scrapeClassicHistograms",
    "scrapeConfigNamespaceSelector",
    "scrapeConfigSelector",
    "scrapeInterval",
    "scrapeProtocols",
    "scrapeTimeout",
    "serviceDiscoveryRole",
    "serviceMonitorNamespaceSelector",
    "serviceMonitorSelector",
    "targetLimit",
    "tracingConfig",
    "tsdb",
];

/// Fields of `spec` that a StatefulSet changes without replacing pods.
const SCALING: [&str; 3] = ["replicas", "minReadySeconds", "persistentVolumeClaimRetentionPolicy"];

/// What the operator does for a change; `None` when it is none of its `spec`.
pub(crate) fn reaction(kind: &str, change: &Change) -> Option<Reaction> {
    let mut names = change.path.names();
    let field = if names.next()? == "spec" { names.next()? } else { return None };
    Some(match field {
        "storage" if has_claims(change) => Reaction::Recreated,
        "serviceName" | "podManagementPolicy" => Reaction::Recreated,
        // Each Alertmanager has the addresses of all others among its arguments.
        "replicas" if kind == "Alertmanager" => Reaction::Replaced,
        "shards" => Reaction::Scaled,
        field if SCALING.contains(&field) => Reaction::Scaled,
        field if CONFIGURATION.contains(&field) => Reaction::Reloaded,
        _ => Reaction::Replaced,
    })
}

/// Whether a change of `spec.storage` is one of `volumeClaimTemplates`, on either side.
fn has_claims(change: &Change) -> bool {
    let claims = "volumeClaimTemplate";
    let holds = |value: &Option<Value>| value.as_ref().is_some_and(|value| value.get(claims).is_some());
    change.path.names().nth(2) == Some(claims) || holds(&change.before) || holds(&change.after)
}

/// Whether the pods of one of the operator's objects keep their data in claims.
pub(crate) fn is_persistent(object: &Value) -> bool {
    object
        .pointer("/spec/storage/volumeClaimTemplate")
        .is_some_and(|it| it.as_object().is_some_and(|it| !it.is_empty()))
}

/// What is lost with the storage of an object of this kind.
pub(crate) fn data(kind: &str) -> &'static str {
    match kind {
        "Alertmanager" => "silences and the record of what was told",
        "ThanosRuler" => "results of rules that are not uploaded yet",
        _ => "samples",
    }
}

/// The StatefulSet that the operator makes of an object.
pub(crate) fn stateful_set(object: &Value) -> String {
    let prefix = match text(object, "/kind") {
        "Alertmanager" => "alertmanager",
        "ThanosRuler" => "thanos-ruler",
        "PrometheusAgent" => "prom-agent",
        _ => "prometheus",
    };
    format!("{prefix}-{}", text(object, "/metadata/name"))
}

/// What the claims of an object are called, before the number of the pod.
pub(crate) fn claim(object: &Value) -> String {
    let set = stateful_set(object);
    match text(object, "/spec/storage/volumeClaimTemplate/metadata/name") {
        "" => format!("{set}-db-{set}"),
        name => format!("{name}-{set}"),
    }
}
