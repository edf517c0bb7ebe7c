use super::{
    Annotations, ContainerRuntime, Journal, Labels, LogLevel, LogOutput, LogPipeline, OtherContainer, Pods, Positions,
    Resources, part, settings,
};
use crate::beside::{Beside, Kind};
use crate::units::{DnsLabel, DnsSubdomain, FilePath, Image};
use vigil_yaml::Source;

settings! {
    /// Grafana Alloy, the successor of Promtail: carries the logs of all pods to Loki. One of the two, never both.
    pub struct Alloy {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// How much it logs itself.
        pub log_level: LogLevel,
        /// The container runtime of the nodes, which decides where log files are.
        pub container_runtime: ContainerRuntime,
        /// Where it keeps how far it has read.
        pub positions: Positions,
        /// Where log lines go beside the stack's own Loki; or instead, where there is none.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub outputs: Vec<LogOutput>,
        /// What is done with log lines before they are sent, one pipeline after the other.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub pipelines: Vec<LogPipeline>,
        /// The journal of its node.
        pub journal: Journal,
        /// What Kubernetes tells of its objects, carried by a pod of its own.
        pub events: KubernetesEvents,
        /// Configuration of your own beside ours: files in Alloy's language, whose components may send to those of the stack.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub config_files: Vec<AlloyFile>,
        /// Secrets with variables for its environment, which those files ask for by `sys.env`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub env_from_secrets: Vec<DnsSubdomain>,
        /// Let Prometheus scrape its own metrics, if the stack has one.
        pub monitored: bool,
        /// Where its pods run and what they may use.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for Alloy {
    fn default() -> Self {
        Self {
            enabled: false,
            image: Image::known("docker.io/grafana/alloy:v1.12.1"),
            log_level: LogLevel::Info,
            container_runtime: ContainerRuntime::Containerd,
            positions: Positions::Node,
            outputs: Vec::new(),
            pipelines: Vec::new(),
            journal: Journal::default(),
            events: KubernetesEvents::default(),
            config_files: Vec::new(),
            env_from_secrets: Vec::new(),
            monitored: true,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

settings! {
    /// The Events of Kubernetes as log lines: which image could not be pulled, which pod found no node. The API server forgets
    /// them after an hour. One pod carries them for all nodes.
    #[derive(Default)]
    pub struct KubernetesEvents {
        /// Carry them.
        pub enabled: bool,
        /// Those of these namespaces, which exist without the stack; without any, all.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub namespaces: Vec<DnsLabel>,
    }
}

/// The labels that lines of Events have beside `job` and `namespace`.
pub const EVENT_LABELS: [&str; 1] = ["type"];

/// A piece of Alloy's configuration.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AlloyFile {
    /// What its file in the pod is called, without `.alloy`.
    pub name: DnsLabel,
    /// The file beside the stack: a path relative to the stack's own file.
    pub file: FilePath,
    /// The text of `file`, once it is read.
    #[serde(skip)]
    pub text: Option<String>,
}

const ALWAYS: [&str; 7] = [
    "logging",
    "discovery.kubernetes.pods",
    "discovery.relabel.pods",
    "local.file_match.pods",
    "loki.source.file.pods",
    "loki.process.pods",
    "loki.write.loki",
];
const OF_PIPELINES: [&str; 1] = ["loki.process.lines"];
const OF_JOURNAL: [&str; 2] = ["loki.relabel.journal", "loki.source.journal.node"];

const FILES: Kind = Kind {
    name: "configuration file",
    expected: "a file in the language of Alloy",
    help: "write components, such as `otelcol.receiver.otlp \"default\" { … }`",
    compact: None,
};

part!(Alloy: pods("50m", "128Mi", "512Mi", containers), metadata, secrets, foreign, files, namespace(log_agents), rules(alloy));

impl Alloy {
    /// What the stack's own configuration declares, whatever is switched on.
    pub fn all_components() -> Vec<&'static str> {
        [ALWAYS.as_slice(), &OF_PIPELINES, &OF_JOURNAL].concat()
    }

    /// What of it this stack has.
    pub(crate) fn components(&self) -> Vec<&'static str> {
        let pipelines = OF_PIPELINES.into_iter().filter(|_| !self.pipelines.is_empty());
        let journal = OF_JOURNAL.into_iter().filter(|_| self.journal.enabled);
        ALWAYS.into_iter().chain(pipelines).chain(journal).collect()
    }

    /// The one in the pod of its own that carries Events.
    fn containers(&self) -> Vec<OtherContainer> {
        let usual = Resources::known("20m", "128Mi", "256Mi");
        self.events.enabled.then_some(("alloy-events", Some(usual))).into_iter().collect()
    }

    /// The namespaces whose Events it carries.
    fn foreign_namespaces(&self) -> Vec<&DnsLabel> {
        self.events.namespaces.iter().filter(|_| self.events.enabled).collect()
    }

    /// The Secrets that its outputs take credentials from, and its environment.
    fn secrets(&self) -> Vec<&DnsSubdomain> {
        let outputs = self.outputs.iter().flat_map(LogOutput::secrets).map(|secret| &secret.name);
        outputs.chain(&self.env_from_secrets).collect()
    }

    fn files(&self) -> Vec<Beside<'_>> {
        let named = self.config_files.iter().enumerate();
        named.map(|(at, named)| Beside { list: "configFiles", at, file: &named.file, kind: &FILES }).collect()
    }

    fn take_file(&mut self, at: usize, text: String) -> Result<(), String> {
        let named = &mut self.config_files[at];
        match vigil_alloy::outline(&Source::new(named.file.as_str(), text.as_str())) {
            Err(problem) => Err(format!("is not in its language: {}", problem.one_line())),
            Ok(outline) if outline.blocks.is_empty() => Err("declares nothing".to_owned()),
            Ok(_) => {
                named.text = Some(text);
                Ok(())
            }
        }
    }
}
