//! What an API server or prometheus-operator refuses although the schema lets it pass: one module for each sort of
//! object.
//!
//! [`judge`] is what they share.

mod admission;
mod claims;
mod config;
mod definitions;
mod expressions;
mod instances;
mod jobs;
pub(crate) mod judge;
mod limits;
mod metadata;
mod networking;
mod operated;
mod ownership;
mod pods;
mod rbac;
mod scaling;
mod scraping;
mod selectors;
mod services;
mod storage;
mod structural;
mod workloads;

use crate::finding::Findings;
use crate::object::Object;
use crate::rule::Rule;
use crate::version::Version;
use judge::Judge;

pub(crate) use config::PEM;
pub(crate) use operated::relabelings;
pub(crate) use scraping::SELECTED;

/// The rules of all modules.
pub(crate) fn rules() -> Vec<&'static Rule> {
    let mut rules = [
        claims::RULES,
        jobs::RULES,
        metadata::RULES,
        selectors::RULES,
        workloads::RULES,
        services::RULES,
        config::RULES,
        rbac::RULES,
        networking::RULES,
        scaling::RULES,
        limits::RULES,
        storage::RULES,
        admission::RULES,
        expressions::RULES,
        definitions::RULES,
        structural::RULES,
        ownership::RULES,
        operated::RULES,
        scraping::RULES,
        instances::RULES,
    ]
    .concat();
    rules.extend(pods::rules());
    rules
}

/// Judges one object by itself, as an API server of this version does.
pub(crate) fn check(object: &Object<'_>, version: Version, findings: &mut Findings) {
    let judge = &mut Judge { object, version, findings };
    services::check(judge);
    config::check(judge);
    rbac::check(judge);
    networking::check(judge);
    scaling::check(judge);
    limits::check(judge);
    storage::check(judge);
    admission::check(judge);
    expressions::check(judge);
    definitions::check(judge);
    metadata::check(judge);
    pods::check(judge);
    ownership::check(judge);
    operated::check(judge);
    instances::check(judge);
    workloads::check(judge);
    jobs::check(judge);
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test that cannot go on has failed")]
mod tests {
    use crate::{Options, Rule};
    use vigil_yaml::Source;

    /// How often a text breaks a rule.
    fn count(text: &str, rule: &Rule) -> (usize, String) {
        let options = Options { objects_only: true, ..Options::default() };
        let report = crate::check(&[Source::new("test.yaml", text)], &options);
        let said = report.findings.iter().map(|finding| finding.problem().one_line() + "\n").collect();
        (report.findings.iter().filter(|finding| finding.rule.id == rule.id).count(), said)
    }

    /// The text breaks the rule as many times.
    pub(super) fn broken(text: &str, rule: &Rule, times: usize) {
        let (found, said) = count(text, rule);
        assert!(found == times, "{}: {found} times, not {times}\n{text}\n{said}", rule.id);
    }

    /// The text does not break the rule.
    pub(super) fn holds(text: &str, rule: &Rule) {
        broken(text, rule, 0);
    }
}
