//! What objects say of each other: one module for each sort of reference.
//!
//! They ask the [`World`]; [`flows`] derives from it the connections that the set needs, and [`absent`] words what is
//! not there.

mod absent;
mod autoscaling;
mod backends;
mod certificates;
mod config;
pub(crate) mod flows;
mod gateway_api;
pub(crate) mod identity;
mod monitoring;
mod network_policies;
mod operators;
mod pod_security;
mod ports;
mod programs;
mod rbac;
mod replicas;
mod services;
mod thanos;
mod unused;

pub(crate) use absent::rule_of;

use crate::finding::Findings;
use crate::rule::Rule;
use crate::world::World;
use rayon::prelude::*;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    let mut rules = [
        identity::RULES,
        services::RULES,
        backends::RULES,
        gateway_api::RULES,
        config::RULES,
        rbac::RULES,
        autoscaling::RULES,
        ports::RULES,
        operators::RULES,
        programs::RULES,
        replicas::RULES,
        thanos::RULES,
        network_policies::RULES,
        unused::RULES,
        pod_security::RULES,
    ]
    .concat();
    rules.extend(monitoring::rules());
    rules
}

/// Judges one sort of reference.
type Check = fn(&World<'_>, &mut Findings);

/// Follows every reference in a set.
pub(crate) fn check(world: &World<'_>, findings: &mut Findings) {
    let checks: &[Check] = &[
        identity::check,
        services::check,
        operators::check,
        backends::check,
        gateway_api::check,
        config::check,
        certificates::check,
        rbac::check,
        autoscaling::check,
        ports::check,
        programs::check,
        replicas::check,
        thanos::check,
        network_policies::check,
        unused::check,
        pod_security::check,
        monitoring::check,
    ];
    let apart: Vec<Findings> = checks
        .par_iter()
        .map(|check| {
            let mut findings = Findings::default();
            check(world, &mut findings);
            findings
        })
        .collect();
    findings.list.extend(apart.into_iter().flat_map(|findings| findings.list));
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
