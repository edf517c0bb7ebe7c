//! What follows from where a stack runs, and from what it is called. A profile is a stack of a few keys that lies beneath the one of the user: what that
//! one does not say, the profile says, and what neither says is the default.

use crate::model::Cluster;
use crate::units::StackName;
use vigil_yaml::{Limits, Node, Source};

impl Cluster {
    /// What it says of a stack, as the text of one; nothing where it is what the defaults are for.
    pub fn profile(self) -> Option<&'static str> {
        match self {
            Self::Kubeadm => None,
            Self::K3s => Some(include_str!("clusters/k3s.yaml")),
            Self::Rke2 => Some(include_str!("clusters/rke2.yaml")),
            Self::Kind => Some(include_str!("clusters/kind.yaml")),
            Self::Minikube => Some(include_str!("clusters/minikube.yaml")),
            Self::Talos => Some(include_str!("clusters/talos.yaml")),
            Self::Eks => Some(include_str!("clusters/eks.yaml")),
            Self::Gke => Some(include_str!("clusters/gke.yaml")),
            Self::GkeAutopilot => Some(include_str!("clusters/gke-autopilot.yaml")),
            Self::Aks => Some(include_str!("clusters/aks.yaml")),
            Self::Openshift => Some(include_str!("clusters/openshift.yaml")),
        }
    }

    /// What it says besides of a stack that has a name, as it stands beside another one; nothing where any name is good.
    fn beside(self) -> Option<&'static str> {
        (self == Self::Openshift).then_some(include_str!("clusters/openshift-named.yaml"))
    }
}

/// What the profile of a stack with a name is, with this word for the name.
const NAMED: (&str, &str) = (include_str!("clusters/named.yaml"), "NAME");

/// How messages begin the name of a profile.
pub(crate) const PROFILE: &str = "the profile ";

/// The profile that the key `cluster` of a stack names, over it the one that follows from its `name`, and over both what follows
/// from the two together.
pub(crate) fn profile_of(stack: &Node) -> Option<Node> {
    // What is no cluster's name, or no stack's, is a mistake, which is told when the stack is decoded.
    let called = stack.get("cluster").and_then(Node::text).unwrap_or_default();
    let cluster: Option<Cluster> = serde_json::from_value(called.into()).ok();
    let name: Option<StackName> = stack.get("name").and_then(Node::text).and_then(|name| name.parse().ok());
    let of_cluster = cluster.and_then(Cluster::profile).and_then(|text| profile(called, text));
    let (text, word) = NAMED;
    let of_name = name.as_ref().and_then(|name| profile("of a stack with a name", &text.replace(word, name.as_str())));
    let beside = cluster.filter(|_| name.is_some()).and_then(Cluster::beside);
    let of_both = beside.and_then(|text| profile(&format!("{called}, of a stack with a name"), text));
    [of_cluster, of_name, of_both].into_iter().flatten().reduce(|below, above| above.over(&below))
}

fn profile(name: &str, text: &str) -> Option<Node> {
    // A test reads all profiles.
    vigil_yaml::read_one(&Source::new(format!("{PROFILE}{name}"), text), &Limits::default()).ok().flatten()
}

/// The stack of a user with its profile beneath it.
pub(crate) fn with_profile(stack: &Node) -> Node {
    profile_of(stack).map_or_else(|| stack.clone(), |profile| stack.over(&profile))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stack;

    /// What is said of a stack.
    fn said(text: &str) -> (Stack, Vec<String>) {
        let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
        let said = parsed.warnings.into_iter().chain(parsed.notes).map(|problem| problem.message);
        (parsed.stack, said.collect())
    }

    fn name(cluster: Cluster) -> String {
        serde_json::to_value(cluster).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn every_profile_is_a_stack_and_says_what_defaults_do_not() {
        let known = "alerts reach nobody";
        let (_, usual) = said("kubernetes: '1.33'\n");
        for cluster in Cluster::ALL {
            let (stack, said) = said(&format!("kubernetes: '1.33'\ncluster: {}\n", name(cluster)));
            assert_eq!(stack.cluster, cluster);
            let new: Vec<_> = said.iter().filter(|it| !usual.contains(it) && !it.starts_with(known)).collect();
            assert!(new.is_empty(), "{}: {new:?}", name(cluster));
            let Some(profile) = cluster.profile() else { continue };
            let (alone, _) = self::said(profile);
            assert_eq!(
                Stack { cluster, kubernetes: alone.kubernetes.clone(), ..alone },
                Stack { kubernetes: Stack::default().kubernetes, ..stack }
            );
        }
    }

    #[test]
    fn a_name_lies_over_the_cluster_and_beneath_what_the_stack_says() {
        let (stack, _) = said("cluster: kind\nname: team-a\nnode-exporter: { port: 9102 }\n");
        let Stack { namespaces, node_exporter, prometheus_operator, kubernetes_targets, .. } = &stack;
        assert_eq!((namespaces.monitoring.as_str(), namespaces.logging.as_str()), ("team-a", "team-a"));
        assert_eq!((node_exporter.port.get(), prometheus_operator.crds, kubernetes_targets.etcd), (9102, false, false));
    }

    #[test]
    fn what_a_stack_says_hides_what_its_profile_says() {
        let (stack, _) =
            said("cluster: k3s\nmetrics-server: { enabled: true }\ngrafana: { service: { port: 3000 } }\n");
        assert!(stack.metrics_server.enabled && !stack.kubernetes_targets.etcd);
        let service = stack.grafana.effective_service();
        assert_eq!(
            (service.r#type, service.port.map(crate::units::Port::get)),
            (Some(crate::model::ServiceType::ClusterIP), Some(3000))
        );
        let (stack, _) = said("cluster: kind\nalerts: { off: [NodeRebooted] }\n");
        assert_eq!(stack.alerts.off.len(), 1);
    }
}
