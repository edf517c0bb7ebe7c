//! Which of our objects answers to which of upstream's.

use crate::differences::Differences;
use crate::normal::normal;
use crate::object::{holds_files, items, kind, labels, name, namespace, pod_template, text, title};
use crate::set::Set;
use serde_json::Value;
use std::collections::BTreeSet;

/// Positions of two objects that answer to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) ours: usize,
    pub(crate) upstream: usize,
}

/// All pairs, in the order of upstream's objects. The list of differences comes first, then the name, then the role:
/// the same file in a `ConfigMap` or Secret, the same containers, the same selection. Upstream's set learns our names.
pub(crate) fn pairs(ours: &Set, upstream: &mut Set, differences: &Differences) -> Vec<Pair> {
    let mut pairs = Vec::new();
    take(&mut pairs, ours, upstream, |mine, theirs| differences.renames(&title(mine), &title(theirs)));
    take(&mut pairs, ours, upstream, |mine, theirs| {
        same_name(mine, theirs) && kind(mine) == kind(theirs) && !(holds_files(mine) && strangers(mine, theirs))
    });
    let files = |mine: &Value, theirs: &Value| {
        holds_files(mine) && holds_files(theirs) && !strangers(mine, theirs) && near(mine, theirs)
    };
    take(&mut pairs, ours, upstream, |mine, theirs| files(mine, theirs) && name(mine) == name(theirs));
    take_unique(&mut pairs, ours, upstream, files);
    // A Service's role is told by the workload it selects, which may have just been found by its own.
    for _ in 0..3 {
        upstream.aliases = pairs
            .iter()
            .map(|pair| (title(&upstream.objects[pair.upstream]), title(&ours.objects[pair.ours])))
            .collect();
        take_unique(&mut pairs, ours, upstream, |mine, theirs| {
            kind(mine) == kind(theirs)
                && near(mine, theirs)
                && role(ours, mine).is_some_and(|mine| Some(mine) == role(upstream, theirs))
        });
    }
    take(&mut pairs, ours, upstream, |mine, theirs| same_name(mine, theirs) && kind(mine) == kind(theirs));
    pairs.sort_by_key(|pair| pair.upstream);
    pairs
}

/// A chart may leave the namespace to the installation.
pub(crate) fn near(mine: &Value, theirs: &Value) -> bool {
    namespace(theirs).is_empty() || namespace(mine) == namespace(theirs)
}

fn same_name(mine: &Value, theirs: &Value) -> bool {
    name(mine) == name(theirs) && near(mine, theirs)
}

/// Both hold files, and none by the same name: they share a name by chance.
fn strangers(mine: &Value, theirs: &Value) -> bool {
    let (mine, theirs) = (files(mine), files(theirs));
    !mine.is_empty() && !theirs.is_empty() && mine.is_disjoint(&theirs)
}

/// The names of an object's files.
fn files(object: &Value) -> BTreeSet<&str> {
    let parts = ["data", "stringData", "binaryData"].into_iter();
    parts.filter_map(|part| object[part].as_object()).flat_map(|files| files.keys().map(String::as_str)).collect()
}

/// What an object is there for, where that can be told without its name.
fn role(set: &Set, object: &Value) -> Option<String> {
    if let Some(pod) = pod_template(kind(object)) {
        let containers = items(object, &format!("{pod}/spec/containers"));
        let mut names: Vec<&str> = containers.iter().map(|container| text(container, "/name")).collect();
        names.sort_unstable();
        return Some(names.join(" "));
    }
    let normal = || normal(set, object);
    match kind(object) {
        "Service" | "ServiceMonitor" | "PodDisruptionBudget" => {
            let normal = normal();
            let spec = normal.get("spec")?;
            let selects = spec.get("selects")?;
            let ports = spec.get("ports").and_then(Value::as_object).map(|ports| ports.keys().collect::<Vec<_>>());
            Some(format!("{selects} {ports:?} {}", text(object, "/spec/clusterIP")))
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let normal = normal();
            Some(format!("{} {}", normal.get("roleRef")?, normal.get("subjects")?))
        }
        "Prometheus" | "Alertmanager" => Some(String::new()),
        _ => None,
    }
}

/// Positions that no pair has yet, of ours and of upstream's.
fn free(pairs: &[Pair], ours: &Set, upstream: &Set) -> (Vec<usize>, Vec<usize>) {
    let mine = (0..ours.objects.len()).filter(|n| pairs.iter().all(|pair| pair.ours != *n));
    let theirs = (0..upstream.objects.len()).filter(|n| pairs.iter().all(|pair| pair.upstream != *n));
    (mine.collect(), theirs.collect())
}

/// Pairs each of upstream's objects that is still free with the first of ours that fits.
fn take(pairs: &mut Vec<Pair>, ours: &Set, upstream: &Set, fits: impl Fn(&Value, &Value) -> bool) {
    let (mut mine, theirs) = free(pairs, ours, upstream);
    for theirs in theirs {
        if let Some(fit) = mine.iter().position(|mine| fits(&ours.objects[*mine], &upstream.objects[theirs])) {
            pairs.push(Pair { ours: mine.remove(fit), upstream: theirs });
        }
    }
}

/// Pairs only where there is one candidate on each side.
fn take_unique(pairs: &mut Vec<Pair>, ours: &Set, upstream: &Set, fits: impl Fn(&Value, &Value) -> bool) {
    let (mine, theirs) = free(pairs, ours, upstream);
    let mut found = Vec::new();
    for mine in mine {
        for theirs in &theirs {
            if fits(&ours.objects[mine], &upstream.objects[*theirs]) {
                found.push(Pair { ours: mine, upstream: *theirs });
            }
        }
    }
    let only = |pair: &Pair| {
        found.iter().filter(|other| other.ours == pair.ours || other.upstream == pair.upstream).count() == 1
    };
    pairs.extend(found.iter().filter(|pair| only(pair)));
}

/// The installation that an object belongs to, as its labels say.
pub(crate) fn instance(object: &Value) -> &str {
    let labels = labels(object);
    labels.and_then(|labels| labels.get("app.kubernetes.io/instance")).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn files(kind: &str, name: &str, file: &str) -> Value {
        let data = if kind == "Secret" { "stringData" } else { "data" };
        json!({"kind": kind, "metadata": {"name": name, "namespace": "x"}, data: {file: "a: 1"}})
    }

    fn of(ours: &[Value], upstream: &[Value], differences: &str) -> Vec<(usize, usize)> {
        let differences = Differences::parse([("d.md", differences)]).unwrap();
        let pairs = pairs(&Set::new(ours), &mut Set::new(upstream), &differences);
        pairs.into_iter().map(|pair| (pair.ours, pair.upstream)).collect()
    }

    #[test]
    fn a_file_is_found_in_another_kind_and_under_another_name() {
        let ours = [files("ConfigMap", "web", "web.yaml"), files("ConfigMap", "other", "data.yaml")];
        let upstream = [files("ConfigMap", "web", "data.yaml"), files("Secret", "web", "web.yaml")];
        assert_eq!(of(&ours, &upstream, ""), [(1, 0), (0, 1)]);
    }

    #[test]
    fn a_listed_rename_comes_first() {
        let ours = [files("ConfigMap", "web", "a"), files("ConfigMap", "b", "b")];
        let upstream = [files("ConfigMap", "web", "c")];
        assert_eq!(of(&ours, &upstream, ""), [(0, 0)], "by name, when nothing else fits");
        let rename = "| object | field | ours | upstream | why |\n|---|---|---|---|---|\n\
                      | ConfigMap x/b | object | ConfigMap x/b | ConfigMap x/web | moved |\n";
        assert_eq!(of(&ours, &upstream, rename), [(1, 0)]);
    }

    #[test]
    fn a_workload_is_found_by_its_containers_when_only_one_can_be_it() {
        let pods = |name: &str| {
            json!({"kind": "Deployment", "metadata": {"name": name, "namespace": "x"},
                "spec": {"template": {"spec": {"containers": [{"name": "web"}]}}}})
        };
        assert_eq!(of(&[pods("a")], &[pods("b")], ""), [(0, 0)]);
        assert_eq!(of(&[pods("a"), pods("c")], &[pods("b")], ""), []);
    }

    #[test]
    fn a_service_is_found_by_the_workload_it_selects() {
        let side = |name: &str| {
            let labels = json!({"app": name});
            [
                json!({"kind": "Service", "metadata": {"name": name, "namespace": "x"},
                    "spec": {"selector": labels, "ports": [{"port": 80}]}}),
                json!({"kind": "Deployment", "metadata": {"name": name, "namespace": "x"},
                    "spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web"}]}}}}),
            ]
        };
        assert_eq!(of(&side("a"), &side("b"), ""), [(0, 0), (1, 1)]);
    }
}
