//! What kube-state-metrics is to tell of custom resources, in its own words: `spec.resources` of a `CustomResourceStateMetrics`.

use super::choice;
use crate::beside::{Beside, Kind};
use crate::decode::decode;
use crate::units::{FilePath, Line};
use std::collections::BTreeMap;
use vigil_yaml::{Limits, Problem, Source};

/// Declares a struct of that format: what has no default must be said, and an unknown key is an error.
macro_rules! item {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        $(#[$doc])*
        pub struct $name { $($body)* }
    };
}

item! {
    /// A custom resource, and the metrics that are made of its objects.
    pub struct CustomResource {
        /// Which it is.
        pub group_version_kind: GroupVersionKind,
        /// Its name in the plural, for the right to list it; without one, as English has it: `Policy` is `policies`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub resource_plural: Option<Line>,
        /// What the names of its metrics begin with, before a `_`; without one `kube_customresource`, and nothing where it is empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub metric_name_prefix: Option<String>,
        /// Labels for all its metrics.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub common_labels: BTreeMap<String, String>,
        /// Labels with the value of a field, by its path: `name: [metadata, name]`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub labels_from_path: BTreeMap<String, Vec<String>>,
        /// From which verbosity on its errors are logged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error_log_v: Option<u8>,
        /// The metrics.
        pub metrics: Vec<CustomMetric>,
    }
}

item! {
    /// A kind of objects.
    pub struct GroupVersionKind {
        /// The API group, such as `cert-manager.io`.
        pub group: Line,
        /// The version; `*` is every one.
        pub version: Line,
        /// The kind; `*` is every one of the group.
        pub kind: Line,
    }
}

item! {
    /// A metric.
    pub struct CustomMetric {
        /// Its name, behind the prefix.
        pub name: String,
        /// What it tells.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        pub help: String,
        /// What of an object it is made of.
        pub each: CustomValues,
        /// Labels for it.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub common_labels: BTreeMap<String, String>,
        /// Labels with the value of a field of the object.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub labels_from_path: BTreeMap<String, Vec<String>>,
        /// From which verbosity on its errors are logged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub error_log_v: Option<u8>,
    }
}

item! {
    /// What of an object a metric is made of: the one of three that `type` names.
    pub struct CustomValues {
        /// Which one.
        pub r#type: CustomMetricType,
        /// A number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub gauge: Option<CustomGauge>,
        /// One of several words: 1 for the one that it is, 0 for the others.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub state_set: Option<CustomStateSet>,
        /// Labels alone; the value is 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub info: Option<CustomInfo>,
    }
}

choice! {
    /// A type of metrics.
    pub enum CustomMetricType {
        /// A number.
        Gauge,
        /// One of several words.
        StateSet,
        /// Labels alone.
        Info,
    }
}

item! {
    /// A number of an object.
    pub struct CustomGauge {
        /// The path of the field; of a list or mapping, a metric for each item.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub path: Vec<String>,
        /// The path of the number below it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub value_from: Vec<String>,
        /// The label for the keys of a mapping.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub label_from_key: Option<String>,
        /// Labels with the value of a field below the path.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub labels_from_path: BTreeMap<String, Vec<String>>,
        /// A field that is not there is 0.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pub nil_is_zero: bool,
    }
}

item! {
    /// A word of an object.
    pub struct CustomStateSet {
        /// The words that it may be.
        pub list: Vec<String>,
        /// The label for them.
        pub label_name: String,
        /// The path of the field; of a list or mapping, a metric for each item.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub path: Vec<String>,
        /// The path of the word below it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub value_from: Vec<String>,
        /// Labels with the value of a field below the path.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub labels_from_path: BTreeMap<String, Vec<String>>,
    }
}

item! {
    /// Labels of an object.
    pub struct CustomInfo {
        /// The path of the field; of a list or mapping, a metric for each item.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        pub path: Vec<String>,
        /// The label for the keys of a mapping.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub label_from_key: Option<String>,
        /// Labels with the value of a field below the path.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        pub labels_from_path: BTreeMap<String, Vec<String>>,
    }
}

item! {
    /// A file of custom resources.
    pub struct CustomResourceFile {
        /// The file beside the stack: a path relative to the stack's own file.
        pub file: FilePath,
        /// What is in it, once it is read.
        #[serde(skip)]
        pub resources: Vec<CustomResource>,
    }
}

/// What such a file holds.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, rename = "kind")]
    _kind: Option<FileKind>,
    spec: FileSpec,
}

#[derive(serde::Deserialize)]
enum FileKind {
    CustomResourceStateMetrics,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSpec {
    resources: Vec<CustomResource>,
}

const FILES: Kind = Kind {
    name: "file of custom resources",
    expected: "a configuration for `--custom-resource-state-config-file`",
    help: "write `spec:` with `resources`, each with `groupVersionKind` and `metrics`",
    compact: None,
};

impl CustomResourceFile {
    /// The files that the list of this name has.
    pub(super) fn named<'a>(files: &'a [Self], list: &'static str) -> Vec<Beside<'a>> {
        let all = files.iter().enumerate();
        all.map(|(at, it)| Beside { list, at, file: &it.file, kind: &FILES }).collect()
    }

    /// Takes the text of the file.
    pub(super) fn take(&mut self, text: String) -> Result<(), String> {
        let wrong = |problems: &[Problem]| {
            let first = problems.first().map(Problem::one_line).unwrap_or_default();
            format!("cannot be used: {first}")
        };
        let node = vigil_yaml::read_one(&Source::new(self.file.as_str(), text), &Limits::default());
        let node = node.map_err(|problems| wrong(&problems))?.ok_or("is empty")?;
        let decoded = decode::<File>(&node, 1);
        match decoded.value.filter(|_| decoded.problems.is_empty()) {
            Some(file) => {
                self.resources = file.spec.resources;
                self.resources.iter().try_for_each(|resource| resource.fault().map_or(Ok(()), Err))
            }
            None => Err(wrong(&decoded.problems)),
        }
    }
}

impl CustomResource {
    /// Its name in the plural, by which rights are given.
    pub fn plural(&self) -> String {
        let kind = self.group_version_kind.kind.as_str();
        let name = kind.to_lowercase();
        match (&self.resource_plural, kind) {
            (Some(plural), _) => plural.to_string(),
            (None, "*") => name,
            _ if ["s", "x", "ch", "sh"].iter().any(|end| name.ends_with(end)) => name + "es",
            _ => match name.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
                Some(stem) => format!("{stem}ies"),
                None => name + "s",
            },
        }
    }

    /// What kube-state-metrics would stop at, or make no metrics of.
    pub(crate) fn fault(&self) -> Option<String> {
        let GroupVersionKind { group, version, kind } = &self.group_version_kind;
        if group.as_str().contains('*') {
            return Some(format!("asks for the group `{group}`, and only `version` and `kind` may be `*`"));
        }
        if self.metrics.is_empty() {
            return Some(format!("has no metrics of {kind} {group}/{version}"));
        }
        self.metrics.iter().find_map(|metric| self.fault_of(metric))
    }

    fn fault_of(&self, metric: &CustomMetric) -> Option<String> {
        let CustomMetric { name, each, labels_from_path, common_labels, .. } = metric;
        let full = match self.metric_name_prefix.as_deref() {
            Some("") => name.clone(),
            prefix => format!("{}_{name}", prefix.unwrap_or("kube_customresource")),
        };
        if name.is_empty() || !is_word(&full.replace(':', "_")) {
            return Some(format!("makes a metric `{full}`, which is no name of one"));
        }
        let given = [each.gauge.is_some(), each.state_set.is_some(), each.info.is_some()];
        let (wanted, key) = match each.r#type {
            CustomMetricType::Gauge => ([true, false, false], "gauge"),
            CustomMetricType::StateSet => ([false, true, false], "stateSet"),
            CustomMetricType::Info => ([false, false, true], "info"),
        };
        if given != wanted {
            return Some(format!(
                "has a metric `{full}` of the type of `{key}`, which needs that key and no other one"
            ));
        }
        let below = [
            each.gauge.as_ref().map(|it| &it.labels_from_path),
            each.state_set.as_ref().map(|it| &it.labels_from_path),
            each.info.as_ref().map(|it| &it.labels_from_path),
        ];
        let paths = [labels_from_path, &self.labels_from_path].into_iter().chain(below.into_iter().flatten());
        let labels = [common_labels, &self.common_labels].into_iter().flat_map(BTreeMap::keys);
        let single = [
            each.gauge.as_ref().and_then(|it| it.label_from_key.as_ref()),
            each.info.as_ref().and_then(|it| it.label_from_key.as_ref()),
            each.state_set.as_ref().map(|it| &it.label_name),
        ];
        let mut labels = labels.chain(paths.flat_map(BTreeMap::keys)).chain(single.into_iter().flatten());
        // All labels of a mapping, perhaps with something before their names.
        let is_label = |label: &str| label == "*" || is_word(label.strip_suffix('*').unwrap_or(label));
        labels.find(|label| !is_label(label)).map(|label| format!("has a label `{label}`, which is no name of one"))
    }
}

/// Whether a text is letters, digits and `_`, and no digit first.
fn is_word(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_configurations() {
        let metrics = "metrics: [{name: a, each: {type: Info, info: {}}}]";
        let gvk = "groupVersionKind: {group: a.b, version: v1, kind: C}";
        let resources = |of: &str| format!("spec: {{resources: [{{{of}}}]}}\n");
        for (text, expected) in [
            (resources(&format!("{gvk}, {metrics}")), Ok(1)),
            (format!("kind: CustomResourceStateMetrics\n{}", resources(&format!("{gvk}, {metrics}"))), Ok(1)),
            (String::new(), Err("is empty")),
            ("a: [".to_owned(), Err("cannot be used: resources/a.yaml:1:4: ")),
            ("kind: ConfigMap\nspec: {resources: []}\n".to_owned(), Err("cannot be used: resources/a.yaml:1:7: ")),
            ("resources: []\n".to_owned(), Err("cannot be used: resources/a.yaml:1:1: unknown key `resources`")),
            (
                resources(&format!("{gvk}, metric: [], {metrics}")),
                Err("cannot be used: resources/a.yaml:1:75: unknown key `metric`"),
            ),
            (resources(&format!("{gvk}, metrics: []")), Err("has no metrics of C a.b/v1")),
        ] {
            let mut file = CustomResourceFile { file: "resources/a.yaml".parse().unwrap(), resources: Vec::new() };
            let found = file.take(text.clone()).map(|()| file.resources.len());
            let matches = match (&found, expected) {
                (Ok(found), Ok(expected)) => *found == expected,
                (Err(found), Err(expected)) => found.starts_with(expected),
                _ => false,
            };
            assert!(matches, "{text}: {found:?}");
        }
    }
}
