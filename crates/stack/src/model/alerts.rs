use super::{Annotations, Labels, choice, part, settings};
use crate::beside::{Beside, Kind};
use crate::origin::Origin;
use crate::units::{AlertName, Days, DnsLabel, Duration, FilePath, MetricLabel, Percent, Url};
use serde_json::Value;
use std::collections::BTreeMap;
use vigil_yaml::{Limits, Place, Source};

settings! {
    /// The alerts and recorded series that come with the stack. Each belongs to a part, and is there when that part is there
    /// and scraped.
    pub struct Alerts {
        /// Have Prometheus watch.
        pub enabled: bool,
        /// Where the runbooks are: the address of a folder that holds `NAME.md` for each alert. Without one, alerts say
        /// `vigil runbook NAME`, which prints it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub runbooks: Option<Url>,
        /// The label that tells clusters apart where one Prometheus or Thanos holds several. Series that lack it are of one
        /// cluster.
        pub cluster_label: MetricLabel,
        /// Alerts to leave out, by their names.
        pub off: Vec<AlertName>,
        /// Another severity for single alerts, by their names. Of an alert with several severities, all get this one.
        pub severity: BTreeMap<AlertName, AlertSeverity>,
        /// From which value on alerts fire.
        pub thresholds: Thresholds,
        /// Rules of your own, beside those that come with the stack.
        pub rules: Vec<RuleFile>,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
        /// Where they stand, once they are read from a text.
        #[serde(skip)]
        pub(crate) origin: Origin,
    }
}

choice! {
    /// How much an alert matters.
    #[serde(rename_all = "lowercase")]
    pub enum AlertSeverity {
        /// Wake somebody.
        Critical,
        /// Somebody looks at it today.
        Warning,
        /// Context for other alerts.
        Info,
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            enabled: true,
            runbooks: None,
            cluster_label: MetricLabel::known("cluster"),
            off: Vec::new(),
            severity: BTreeMap::new(),
            thresholds: Thresholds::default(),
            rules: Vec::new(),
            labels: Labels::new(),
            annotations: Annotations::new(),
            origin: Origin::default(),
        }
    }
}

/// A file of rules of your own, as Prometheus and Loki read them: `groups`, each with `name` and `rules`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RuleFile {
    /// What the object or file that it becomes is called.
    pub name: DnsLabel,
    /// The file beside the stack: a path relative to the stack's own file.
    pub file: FilePath,
    /// The rule groups of `file`, once it is read.
    #[serde(skip)]
    pub groups: Vec<Value>,
}

part!(Alerts: only_with(prometheus), metadata, files, origin, rules(alerts));

/// Rules as Prometheus reads them, which the ruler of Thanos does as well.
pub(super) const RULES: Kind = Kind {
    name: "rule file",
    expected: "a file of rules as Prometheus reads it",
    help: "write `groups:` with a list of groups, each with `name` and `rules`",
    compact: None,
};

impl Alerts {
    /// Where the text names an alert: by the position in a list, or the key in a mapping, that stands at a path.
    pub fn place(&self, path: &[&str]) -> Place {
        self.origin.key(path)
    }

    fn files(&self) -> Vec<Beside<'_>> {
        RuleFile::named(&self.rules, &RULES)
    }

    fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
        self.rules[at].take(text)
    }
}

impl RuleFile {
    /// The files that a list `rules` names.
    pub(super) fn named<'a>(rules: &'a [Self], kind: &'static Kind) -> Vec<Beside<'a>> {
        let named = rules.iter().enumerate();
        named.map(|(at, named)| Beside { list: "rules", at, file: &named.file, kind }).collect()
    }

    /// Takes the text of the file. What is in the groups is judged with the object that they become.
    pub(super) fn take(&mut self, text: String) -> Result<(), String> {
        let node = vigil_yaml::read_one(&Source::new(self.file.as_str(), text), &Limits::default());
        let node = node.map_err(|problems| {
            let first = problems.first().map(vigil_yaml::Problem::one_line);
            format!("is not YAML: {}", first.unwrap_or_default())
        })?;
        let value = node.map_or(Value::Null, |node| node.to_json());
        if let Some(key) = value.as_object().into_iter().flatten().map(|(key, _)| key).find(|key| *key != "groups") {
            return Err(format!("has the key `{key}`, and a rule file has `groups` alone"));
        }
        match value["groups"].as_array() {
            Some(groups) if !groups.is_empty() && groups.iter().all(Value::is_object) => {
                self.groups.clone_from(groups);
                Ok(())
            }
            _ => Err("has no rule groups".to_owned()),
        }
    }
}

settings! {
    /// From which value on alerts fire.
    pub struct Thresholds {
        /// How long a pod may be not ready, a rollout stand still, or a container wait.
        pub workload_stuck: Duration,
        /// Free space of a node's filesystem, in percent, below which it is looked at, if it is also filling up.
        pub filesystem_warning: Percent,
        /// Free space of a node's filesystem, in percent, below which somebody is woken.
        pub filesystem_critical: Percent,
        /// Free space of a persistent volume, in percent, below which it is looked at, if it is also filling up.
        pub volume_warning: Percent,
        /// Free space of a persistent volume, in percent, below which somebody is woken.
        pub volume_critical: Percent,
        /// CPU time of a node in use, in percent.
        pub node_cpu: Percent,
        /// Memory of a node in use, in percent.
        pub node_memory: Percent,
        /// Use of a container's memory limit, in percent.
        pub container_memory: Percent,
        /// Pods of a node, in percent of those that it takes.
        pub pod_capacity: Percent,
        /// Use of a resource quota, in percent.
        pub quota: Percent,
        /// Targets of one job that do not answer, in percent.
        pub targets_down: Percent,
        /// Failed requests, in percent of all: of a program of the stack, of webhooks, of name resolution upstream.
        pub request_errors: Percent,
        /// Days before the end of a certificate on which somebody looks at it.
        pub certificate_warning: Days,
        /// Days before the end of a certificate on which somebody is woken.
        pub certificate_critical: Days,
        /// Requests to the API server that succeed and are fast enough, in percent of all, as the objective of 30 days:
        /// `99` leaves 1 % to fail.
        pub api_server_objective: Percent,
        /// The same of requests to the test application, where `flask.slo` says who counts them.
        pub app_objective: Percent,
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            workload_stuck: Duration::known("15m"),
            filesystem_warning: Percent::known(20),
            filesystem_critical: Percent::known(5),
            volume_warning: Percent::known(15),
            volume_critical: Percent::known(3),
            node_cpu: Percent::known(90),
            node_memory: Percent::known(90),
            container_memory: Percent::known(95),
            pod_capacity: Percent::known(90),
            quota: Percent::known(90),
            targets_down: Percent::known(10),
            request_errors: Percent::known(10),
            certificate_warning: Days::known(14),
            certificate_critical: Days::known(3),
            api_server_objective: Percent::known(99),
            app_objective: Percent::known(99),
        }
    }
}
