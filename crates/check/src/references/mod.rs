//! What objects say of each other: one module for each sort of reference.
//!
//! - [`index`]: finding objects by name, and pods and Services by label, in one pass over the set.
//! - [`pods`]: the pods that there will be.
//! - [`uses`]: every ConfigMap, Secret and so on that anything asks for.
//! - [`flows`]: the connections that the set needs.
//! - [`provided`], [`makers`], [`operator`]: what is in the cluster without being in the set.

mod autoscaling;
mod backends;
mod config;
mod flows;
pub(crate) mod identity;
pub(crate) mod index;
mod makers;
mod monitoring;
mod network_policies;
mod operator;
mod pod_security;
mod pods;
mod ports;
mod provided;
mod rbac;
mod services;
mod unused;
mod uses;

use crate::finding::Findings;
use crate::rule::Rule;
use crate::set::Set;
use index::Index;
use rayon::prelude::*;
use vigil_yaml::Node;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    [
        identity::RULES,
        services::RULES,
        backends::RULES,
        config::RULES,
        rbac::RULES,
        autoscaling::RULES,
        ports::RULES,
        network_policies::RULES,
        unused::RULES,
        pod_security::RULES,
        monitoring::RULES,
    ]
    .concat()
}

/// Judges one sort of reference.
type Check = fn(&Index<'_>, &mut Findings);

/// Follows every reference in a set without an object that is there twice.
pub(crate) fn check(set: &Set<'_>, findings: &mut Findings) {
    let index = Index::new(set);
    let checks: &[Check] = &[
        identity::check,
        services::check,
        backends::check,
        config::check,
        rbac::check,
        autoscaling::check,
        ports::check,
        network_policies::check,
        unused::check,
        |index, findings| pod_security::check(index.set, findings),
        |index, findings| monitoring::check(index.set, findings),
    ];
    let apart: Vec<Findings> = checks
        .par_iter()
        .map(|check| {
            let mut findings = Findings::default();
            check(&index, &mut findings);
            findings
        })
        .collect();
    findings.list.extend(apart.into_iter().flat_map(|findings| findings.list));
}

/// The text at a path below `node`, if there is any.
fn text<'a>(node: &'a Node, path: &[&str]) -> Option<&'a str> {
    node.at(path).and_then(Node::text).filter(|text| !text.is_empty())
}

/// The items of the list at a path below `node`.
fn items<'a>(node: &'a Node, path: &[&str]) -> &'a [Node] {
    node.at(path).map(Node::items).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::{Options, Provided, check};
    use vigil_yaml::Source;

    /// The rules that a text breaks, each as often as it does. Objects are one a line, in flow style; `schema` rules
    /// are left out, as objects are cut to what is looked at.
    pub(super) fn broken(text: &str) -> Vec<&'static str> {
        let provided = Provided { kind: "Secret".to_owned(), namespace: String::new(), name: "provided".to_owned() };
        let options = Options { provided: vec![provided], ..Options::default() };
        let text: String = text.lines().flat_map(|line| ["---\n", line.trim(), "\n"]).collect();
        let report = check(&[Source::new("t", text)], &options);
        let ids = report.findings.iter().map(|finding| finding.rule.id);
        let own: Vec<&str> = super::rules().iter().map(|rule| rule.id).collect();
        assert!(report.followed, "{:?}", report.findings);
        ids.filter(|id| own.contains(id)).collect()
    }

    /// A Deployment with this label and this in its pods' specification.
    pub(super) fn deployment(name: &str, spec: &str) -> String {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}}}, spec: {{template: \
             {{metadata: {{labels: {{app: {name}}}}}, spec: {{{spec}}}}}}}}}\n"
        )
    }
}
