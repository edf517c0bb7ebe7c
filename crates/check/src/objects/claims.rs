//! What templates of claims ask of a PersistentVolumeClaim.

use super::judge::Judge;
use super::selectors;
use crate::fields::{amount, filled, given, items};
use crate::rule::{Rule, rules};
use vigil_yaml::words::list;
use vigil_yaml::{Data, Node, Quoted};

rules! {
    CLAIM "claim" Error Server "every PersistentVolumeClaim has `accessModes` and a storage request"
}

const MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// Judges the specification of a claim, or of a template of claims.
pub(super) fn check(judge: &mut Judge<'_, '_>, claim: &Node) {
    let Some(spec) = given(claim, "spec") else {
        judge.required(&CLAIM, claim, "spec");
        return;
    };
    access(judge, &CLAIM, spec);
    match spec.at(&["resources", "requests", "storage"]).filter(|node| !node.is_null()) {
        None => {
            let at = spec.get("resources").unwrap_or(spec);
            judge.add(&CLAIM, at, "a claim of no size").label("expected `resources.requests.storage`");
        }
        Some(node) => {
            if amount(node).is_some_and(|amount| amount <= 0) {
                judge.add(&CLAIM, node, "the storage request is zero").label("expected more than zero");
            }
        }
    }
    if let Some(selector) = given(spec, "selector") {
        selectors::selector(judge, selector);
    }
    if let Some((node, name)) = given(spec, "dataSource").and_then(|source| filled(source, "name"))
        && given(spec, "dataSourceRef")
            .and_then(|source| filled(source, "name"))
            .is_some_and(|(_, other)| other != name)
    {
        judge.add(&CLAIM, node, "`dataSource` and `dataSourceRef` differ").help("keep one of the two");
    }
}

/// How a claim or a volume is used.
pub(super) fn access(judge: &mut Judge<'_, '_>, rule: &'static Rule, spec: &Node) {
    let modes = items(spec, "accessModes");
    if modes.is_empty()
        && spec.get("accessModes").is_none_or(|node| node.is_null() || matches!(node.data, Data::List(_)))
    {
        judge
            .add(rule, spec.get("accessModes").unwrap_or(spec), "no access mode")
            .label("expected `accessModes:` with at least one")
            .help("`ReadWriteOnce` is what most volumes can do");
    }
    for node in modes {
        let Some(mode) = (if node.is_null() { Some("") } else { node.text() }) else { continue };
        if !MODES.contains(&mode) {
            judge
                .add(rule, node, format!("{} is no access mode", Quoted(mode)))
                .label(format!("expected {}", list(&MODES, "or")));
        } else if mode == "ReadWriteOncePod" && modes.len() > 1 && modes.iter().any(|other| other.text() != Some(mode))
        {
            judge.add(rule, node, "`ReadWriteOncePod` besides other modes").help("keep it alone, or remove it");
        }
    }
    judge.dns_subdomain(rule, spec, "storageClassName");
    // Older servers drop it.
    if judge.since(34) {
        judge.dns_subdomain(rule, spec, "volumeAttributesClassName");
    }
    judge.set_to_one_of(rule, spec.get("volumeMode"), &["Block", "Filesystem"]);
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken;
    use super::CLAIM;

    #[test]
    fn claims() {
        let size = "resources: {requests: {storage: 1Gi}}";
        for (spec, times) in [
            (format!("accessModes: [ReadWriteOnce, ReadOnlyMany], {size}, storageClassName: ''"), 0),
            (format!("accessModes: [], {size}"), 1),
            (size.to_owned(), 1),
            ("accessModes: [ReadWriteOnce]".to_owned(), 1),
            ("accessModes: [ReadWriteOnce], resources: {requests: {storage: 0}}".to_owned(), 1),
            (format!("accessModes: [RWO], {size}"), 1),
            (format!("accessModes: [ReadWriteOncePod, ReadWriteOnce], {size}"), 1),
            (format!("accessModes: [ReadWriteOncePod], {size}, volumeMode: block, storageClassName: A"), 2),
        ] {
            let text = format!(
                "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: a}}\nspec: {{volumeClaimTemplates: [{{metadata: {{name: a}}, spec: {{{spec}}}}}]}}\n"
            );
            broken(&text, &CLAIM, times);
        }
    }
}
