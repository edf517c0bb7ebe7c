//! Two stacks in one cluster: one with a name has no object in common with another, and takes nothing that is another's.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use vigil_check::check;
use vigil_render::{Object, Rendering};
use vigil_stack::Stack;
use vigil_stack::model::Cluster;
use vigil_yaml::{Severity, Source};

/// The objects of a rendering that another one could have too: those in no namespace of the stack's own.
fn shared_ground(rendering: &Rendering) -> BTreeSet<String> {
    let objects = rendering.objects.iter().filter(|object| object.component != "crds");
    let own: BTreeSet<&str> = objects.clone().filter(|it| it.kind() == "Namespace").map(Object::name).collect();
    objects.filter(|object| !own.contains(object.namespace())).map(Object::title).collect()
}

fn rendered(stack: &Stack) -> Rendering {
    vigil_render::render(stack, &vigil::TEMPLATES).unwrap()
}

#[test]
fn a_stack_with_a_name_shares_no_object() {
    for (name, path) in support::stacks() {
        let mut stack = support::load(&path).stack;
        stack.name = None;
        let usual = shared_ground(&rendered(&stack));
        stack.name = Some("other".parse().unwrap());
        // What a cluster has once, and what is in a namespace that is not the stack's.
        stack.metrics_server.enabled = false;
        stack.flask.enabled = false;
        stack.argocd.project = "other".parse().unwrap();
        stack.flux.name = "other".parse().unwrap();
        // They name objects of the first.
        stack.patches.clear();
        for (namespace, own) in
            [(&mut stack.namespaces.monitoring, "other"), (&mut stack.namespaces.logging, "other-logs")]
        {
            *namespace = own.parse().unwrap();
        }
        stack.namespaces.agents = stack.namespaces.agents.map(|_| "other-agents".parse().unwrap());
        let common: Vec<_> = shared_ground(&rendered(&stack)).intersection(&usual).cloned().collect();
        assert!(common.is_empty(), "{name}: {common:#?}");
    }
}

/// Ports of nodes that OpenShift's own programs have: github.com/openshift/enhancements, Host Port Registry.
const OF_OPENSHIFT: [RangeInclusive<i64>; 8] =
    [9001..=9001, 9100..=9103, 9200..=9219, 9258..=9258, 9446..=9446, 9537..=9537, 9641..=9644, 9977..=9979];

/// The ports that pods of a rendering have on every node.
fn ports_of_nodes(rendering: &Rendering) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    for object in rendering.objects.iter().filter(|object| object.component != "crds") {
        let pod = &object.value["spec"]["template"]["spec"];
        let on_host = pod["hostNetwork"] == true;
        let containers = pod["containers"].as_array().into_iter().flatten();
        let ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
        found.extend(ports.filter_map(|port| port[if on_host { "containerPort" } else { "hostPort" }].as_i64()));
    }
    found
}

#[test]
fn on_every_cluster_a_second_stack_has_ports_of_its_own_on_the_nodes() {
    for cluster in Cluster::ALL {
        let stack = |name: &str| {
            let cluster = serde_json::to_value(cluster).unwrap();
            let text = format!("kubernetes: '1.33'\ncluster: {}\n{name}", cluster.as_str().unwrap());
            Stack::parse(&Source::new("stack.yaml", text)).unwrap().stack
        };
        let [first, second] = ["", "name: second\n"].map(|name| ports_of_nodes(&rendered(&stack(name))));
        assert!(first.is_disjoint(&second), "{cluster:?}: {first:?} and {second:?}");
        assert_eq!(first.len(), second.len(), "{cluster:?}");
        if cluster == Cluster::Openshift {
            assert_eq!(first.len(), 1);
            let free =
                |port: &i64| (9000..=9999).contains(port) && !OF_OPENSHIFT.iter().any(|taken| taken.contains(port));
            assert!(first.union(&second).all(free), "{first:?} and {second:?}");
        }
    }
}

/// What is said of two stacks that are applied to one cluster; that Argo CD is there is known.
fn said(first: &str) -> Vec<String> {
    let first = Stack::parse(&Source::new("first.yaml", first)).unwrap().stack;
    let path = support::root().join("stacks/second.yaml");
    let second = support::load(&path).stack;
    let objects = [&first, &second].into_iter().flat_map(|stack| rendered(stack).objects);
    let sources: Vec<Arc<Source>> =
        objects.map(|object| Source::new(object.title(), vigil_yaml::write(&object.value))).collect();
    let report = check(&sources, &support::options(&path));
    let told = report.findings.iter().filter(|finding| finding.severity() != Severity::Note);
    told.map(|finding| format!("{}: {}", finding.rule.id, finding.message)).collect()
}

#[test]
fn two_stacks_are_clean_together_and_one_that_takes_all_is_told() {
    let scoped = "prometheus: { selection: labelled }\nprometheus-operator: { instances: own }\n";
    assert_eq!(said(scoped), [""; 0]);
    let said = said("kubernetes: '1.29'\n");
    assert!(
        said.iter().any(|it| it.starts_with("operators-overlap: Prometheus second/second-prometheus")),
        "{said:#?}"
    );
    let takes = "network-policy-flow: cuts off Prometheus mymonitoring/kube-prometheus-stack-prometheus";
    assert!(said.iter().any(|it| it.starts_with(takes)), "{said:#?}");
}
