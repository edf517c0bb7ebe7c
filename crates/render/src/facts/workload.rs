//! Pods as the rest of the stack needs to know them: where they are, how they are selected, who may connect, and where they do.
//!
//! Each part declares its own. Namespaces with their pod-security level, network policies and the order of Argo CD are
//! folds over all of them and name no part.

use super::reach::Reach;
use serde_json::{Map, Value};
use vigil_stack::model::{Service, ServiceType};

/// The pods of one Deployment, DaemonSet or StatefulSet, or of an object that the operator makes one of.
pub(crate) struct Workload {
    /// The object's name; of pods on every node their ServiceAccount's as well.
    pub(crate) name: String,
    /// Its namespace.
    pub(crate) namespace: String,
    /// The labels by which Services and policies select the pods.
    pub(crate) selector: Map<String, Value>,
    /// What the pods are to others.
    pub(crate) roles: Vec<Role>,
    /// Whether the pods see files or the network of their node, which the pod-security level `privileged` allows.
    pub(crate) on_node: bool,
    /// Who may connect where; `None` for pods that a policy does not concern, because they are in the network of their
    /// node, or open to anybody.
    pub(crate) ports: Option<Vec<Port>>,
    /// What they connect to beside the stack's own pods, whose ports say who connects, and beside what their roles ask for.
    pub(crate) reaches: Vec<Reach>,
}

impl Workload {
    pub(super) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// What pods are to others, so that none has to know which parts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Asks for metrics.
    Scraper,
    /// Asks the stores what they hold.
    Dashboards,
    /// Asks whoever has samples for them.
    Querier,
    /// Takes queries, and passes them on in parts.
    QueryFrontend,
    /// Takes samples, and hands them to those that keep them.
    SampleRouter,
    /// Asks for what rules are about.
    RuleEvaluator,
    /// Asks whatever the stack says whether it answers, the stack's own pods among them.
    Prober,
    /// Keeps data in object storage.
    ObjectStorageClient,
    /// Sends log lines.
    LogSender,
    /// Sends alerts.
    AlertSender,
    /// Replicas that tell each other what they know.
    AlertPeer,
    /// Takes what is sent to the log store and asked of it, and passes it on.
    LogGateway,
    /// Replicas that share log lines and queries among them.
    LogPeer,
    /// Makes pods of custom resources, so that it has to be there before them.
    Operator,
    /// Are made by the operator, of a custom resource.
    Operated,
}

/// A port of pods.
pub(crate) struct Port {
    pub(crate) number: u16,
    pub(crate) protocols: &'static [&'static str],
    pub(crate) peers: Vec<Peer>,
}

impl Port {
    /// A port that is reached by TCP.
    pub(super) fn tcp(number: u16, peers: impl Into<Vec<Peer>>) -> Self {
        Self { number, protocols: &["TCP"], peers: peers.into() }
    }
}

/// Who may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Pods with this role.
    Pods(Role),
    /// The ingress controller.
    IngressController,
    /// Whoever asks. The API server has no pods that a policy could name, and traffic from outside of the cluster
    /// carries the address of a node.
    Anybody,
}

/// People with a browser: through an Ingress, or from anywhere where the Service is open to the outside.
pub(super) fn browsers(service: &Service, ingress: bool) -> Option<Peer> {
    if service.r#type != Some(ServiceType::ClusterIP) {
        return Some(Peer::Anybody);
    }
    ingress.then_some(Peer::IngressController)
}
