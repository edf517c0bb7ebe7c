use super::alerts::RULES;
use super::{Annotations, Labels, Part as _, Persistence, Pods, RuleFile, Stack, part, settings};
use crate::beside::Beside;
use crate::units::{Duration, LabelValue, Replicas};

settings! {
    /// What evaluates rules over the samples of all clusters that Thanos has. Rules about one cluster belong into the Prometheus of
    /// that cluster, which needs nobody for them. Image, log level and bucket are those of `thanos`.
    pub struct ThanosRuler {
        /// Run it. Needs `thanos`.
        pub enabled: bool,
        /// How many pods evaluate the same; Alertmanager takes their alerts for one.
        pub replicas: Replicas,
        /// The clusters whose samples are expected, by what `alerts.clusterLabel` says of them: of each that falls silent somebody is
        /// told.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub clusters: Vec<LabelValue>,
        /// Rules of your own over the samples of all clusters.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub rules: Vec<RuleFile>,
        /// How long it keeps what it records, which it uploads as well.
        pub retention: Duration,
        /// Where what it records is until then, and which alerts wait.
        pub persistence: Persistence,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for ThanosRuler {
    fn default() -> Self {
        Self {
            enabled: false,
            replicas: Replicas::known(2),
            clusters: Vec::new(),
            rules: Vec::new(),
            retention: Duration::known("2d"),
            persistence: Persistence::default(),
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(ThanosRuler: pods("50m", "128Mi", "512Mi"), only_with(thanos), metadata, operated, volume, files, namespace(monitoring), rules(thanos_ruler));

impl Stack {
    /// The clusters whose samples are expected.
    pub fn expected_clusters(&self) -> &[LabelValue] {
        if self.thanos_ruler.is_in(self) { &self.thanos_ruler.clusters } else { &[] }
    }
}

impl ThanosRuler {
    fn files(&self) -> Vec<Beside<'_>> {
        RuleFile::named(&self.rules, &RULES)
    }

    fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
        self.rules[at].take(text)
    }
}
