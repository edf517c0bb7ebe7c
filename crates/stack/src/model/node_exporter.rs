use super::{Annotations, Labels, NodeCollector, Pods, choice, part, settings};
use crate::units::{Expression, Image, Port};

settings! {
    /// node-exporter, which tells how the nodes are: CPU, memory, disks, network. It reads the node's own files, and
    /// makes the monitoring namespace a privileged one.
    pub struct NodeExporter {
        /// Run it.
        pub enabled: bool,
        /// Its image.
        pub image: Image,
        /// Its port, on every node.
        pub port: Port,
        /// What it tells besides the usual, and what of the usual it does not.
        pub collectors: NodeCollectors,
        /// Metrics that are not stored: expressions that their names match as a whole.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub drop: Vec<Expression>,
        /// Whether it sees file systems that are mounted on the node after its start.
        pub mount_propagation: MountPropagation,
        /// Where its pods run and what they may use. They tolerate every taint that keeps new pods away.
        pub pods: Pods,
        /// Labels for its objects, beside the common `labels`; of two with one key this one counts.
        pub labels: Labels,
        /// Annotations for its objects, likewise.
        pub annotations: Annotations,
    }
}

impl Default for NodeExporter {
    fn default() -> Self {
        Self {
            enabled: true,
            image: Image::known("quay.io/prometheus/node-exporter:v1.10.2"),
            port: Port::known(9100),
            collectors: NodeCollectors::default(),
            drop: Vec::new(),
            mount_propagation: MountPropagation::HostToContainer,
            pods: Pods::default(),
            labels: Labels::new(),
            annotations: Annotations::new(),
        }
    }
}

part!(NodeExporter: pods("20m", "32Mi", "128Mi"), metadata, namespace(node_agents), rules(node_exporter));

settings! {
    /// What node-exporter tells.
    #[derive(Default)]
    pub struct NodeCollectors {
        /// What it would not tell by itself.
        pub enable: Vec<NodeCollector>,
        /// What it would tell by itself.
        pub disable: Vec<NodeCollector>,
    }
}

choice! {
    /// How mounts of the node get into a container.
    pub enum MountPropagation {
        /// All of them, at any time.
        HostToContainer,
        /// Those that are there when it starts, for nodes whose root is no shared mount.
        None,
    }
}
