//! From each stack to each other one, in one cluster.

use crate::assets::Release;
use crate::changes;
use crate::control_plane::ControlPlane;
use crate::failure::{Context, Failure, Result};
use crate::parallel::parallel;
use crate::prerequisites;
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::{Rendered, root};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use vigil_diff::Options;
use vigil_render::Object;

const METHOD: &str = "\
One cluster goes from each stack to each other one: the steps of `just apply`; what the API server refuses must stand in
[upgrade.md](upgrade.md) and be announced by `vigil diff` (but for node ports that a Service keeps although its manifest
names none), and after the remedy that stands there the same steps succeed. Then what the new stack has no more is deleted,
as Argo CD does. A refusal that the page does not name is a finding, and so is one that it names and that never came.";

const COLUMNS: [&str; 5] = ["Kubernetes", "from", "to", "refused, with its remedy in upgrade.md", "removed afterwards"];

/// A refusal that the documentation names.
struct Known {
    kind: String,
    name: String,
    /// What the API server says of it, in the words of one release or another.
    messages: Vec<String>,
    /// The command that makes way, with `NAMESPACE` for that of the object that stands in it.
    remedy: String,
}

/// What the API server refused.
#[derive(Debug, PartialEq)]
struct Refusal<'a> {
    kind: &'a str,
    name: &'a str,
    message: &'a str,
}

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("From one stack to another", METHOD, &COLUMNS);
    let path = root().join("docs/upgrade.md");
    let known = known(&fs::read_to_string(&path).context(path.display())?)?;
    let walks = parallel(releases.len(), releases, |release| way(release, stacks, &known))?;
    let (parts, seen): (Vec<_>, Vec<_>) = walks.into_iter().unzip();
    proof.take(parts);
    let seen: BTreeSet<_> = seen.into_iter().flatten().collect();
    for (index, known) in known.iter().enumerate().filter(|(index, _)| !seen.contains(index)) {
        let Known { kind, name, messages, .. } = known;
        let messages = messages.join(" or ");
        proof.finding(format!("docs/upgrade.md, refusal {}: nobody refused {kind} {name}: {messages}", index + 1));
    }
    Ok(proof)
}

/// Goes all ways with one release; gives also the indices of the refusals that came.
fn way(release: &Release, stacks: &[Rendered], known: &[Known]) -> Result<(Proof, BTreeSet<usize>)> {
    let (mut proof, mut seen) = (Proof::default(), BTreeSet::new());
    let plane = ControlPlane::start(release)?;
    for stack in stacks {
        prerequisites::bring(&plane, stack)?;
    }
    let walk = walk(stacks.len());
    if let Some(&first) = walk.first() {
        plane.kubectl.shell(&recipe::script("apply")?, stacks[first].directory.path())?.ok("the first stack")?;
    }
    for step in walk.windows(2) {
        let (from, to) = (&stacks[step[0]], &stacks[step[1]]);
        let title = format!("Kubernetes {}, {} to {}", release.version, from.name, to.name);
        eprintln!("  {title}");
        let options = changes::options(release);
        let refused = Step { plane: &plane, from, to, known, title, options }.carry_out(&mut proof, &mut seen)?;
        let removed = prune(&plane, from, to)?;
        let row = [&release.version, &from.name, &to.name, &refused, &removed.to_string()];
        proof.row(row.map(String::to_owned));
    }
    Ok((proof, seen))
}

struct Step<'a> {
    plane: &'a ControlPlane,
    from: &'a Rendered,
    to: &'a Rendered,
    known: &'a [Known],
    title: String,
    options: Options,
}

impl Step<'_> {
    fn carry_out(&self, proof: &mut Proof, seen: &mut BTreeSet<usize>) -> Result<String> {
        let apply = recipe::script("apply")?;
        let directory = self.to.directory.path();
        let said = self.plane.kubectl.shell(&apply, directory)?;
        let mut refused = Vec::new();
        let mut came = BTreeSet::new();
        for line in said.stderr.lines() {
            let Some(refusal) = refusal(line) else {
                let harmless = said.status == 0 && !line.starts_with("Warning:")
                    || line.contains("metrics.k8s.io/v1beta1")
                    || is_of_leaving_pods(line);
                proof.expect(harmless, || format!("{}: {line}", self.title));
                continue;
            };
            if !self.is_of_a_port_that_was_kept(&refusal) {
                came.insert((refusal.kind.to_owned(), refusal.name.to_owned()));
            }
            let Some((index, known)) = self.known.iter().enumerate().find(|(_, known)| known.covers(&refusal)) else {
                proof.finding(format!("{}: refused, and not in docs/upgrade.md: {line}", self.title));
                continue;
            };
            seen.insert(index);
            refused.push(format!("{} {}", refusal.kind, refusal.name));
            let namespace = self.namespace(&refusal)?;
            let remedy = known.remedy.replace("NAMESPACE", &namespace).replace("NAME", refusal.name);
            self.plane.kubectl.shell(&remedy, directory)?.ok(&remedy)?;
        }
        let [from, to] =
            [self.from, self.to].map(|it| it.objects.iter().map(|object| (*object.value).clone()).collect::<Vec<_>>());
        let diff = vigil_diff::compare(&from, &to, self.options);
        changes::compare(&self.title, &came, &changes::announced(&diff), proof);
        if said.status != 0 {
            let again = self.plane.kubectl.shell(&apply, directory)?;
            let problem = again.stderr.trim_end();
            proof.expect(again.status == 0, || format!("{}: after the remedies: {problem}", self.title));
        }
        Ok(if refused.is_empty() { "nothing".to_owned() } else { refused.join(", ") })
    }

    /// Whether a node port is taken that no manifest of the old stack names: a Service that was given one keeps it, also
    /// when a later manifest does not name it, and from the manifests nobody can know.
    fn is_of_a_port_that_was_kept(&self, refusal: &Refusal<'_>) -> bool {
        let port = refusal.message.split_once("nodePort: Invalid value: ").and_then(|(_, rest)| rest.split(':').next());
        let Some(port) = port.and_then(|port| port.parse::<u64>().ok()) else { return false };
        let services = self.from.objects.iter().filter(|object| object.kind() == "Service");
        let mut ports = services.flat_map(|service| service.value["spec"]["ports"].as_array().into_iter().flatten());
        !ports.any(|it| it["nodePort"].as_u64() == Some(port))
    }

    /// The namespace of the object that is in the way: the old stack's of that name, or what stands there already.
    fn namespace(&self, refusal: &Refusal<'_>) -> Result<String> {
        let is_it = |object: &&Object| object.kind() == refusal.kind && object.name() == refusal.name;
        let mut all = self.from.objects.iter().chain(&self.to.objects);
        let found = all.find(is_it).map(|object| object.namespace().to_owned());
        found.ok_or_else(|| Failure::new(format!("{}: whose object is {refusal:?}?", self.title)))
    }
}

impl Known {
    fn covers(&self, refusal: &Refusal<'_>) -> bool {
        let fits = |pattern: &str, text: &str| pattern == "any" || pattern == text;
        self.kind == refusal.kind
            && fits(&self.name, refusal.name)
            && self.messages.iter().any(|message| refusal.message.contains(message))
    }
}

/// `The KIND "NAME" is invalid: MESSAGE`
fn refusal(line: &str) -> Option<Refusal<'_>> {
    let (kind, rest) = line.strip_prefix("The ")?.split_once(" \"")?;
    let (name, message) = rest.split_once("\" is invalid: ")?;
    Some(Refusal { kind, name, message })
}

/// A namespace that no longer holds privileged pods is closed to them; those that are about to go are still there.
fn is_of_leaving_pods(line: &str) -> bool {
    line.starts_with("Warning: existing pods in namespace") || line.contains(": host namespaces, hostPort, ")
}

/// The rows of the page's table: object, what the API server says, remedy.
fn known(page: &str) -> Result<Vec<Known>> {
    let mut known = Vec::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect();
        let [object, message, .., remedy] = cells.as_slice() else {
            return Err(Failure::new(format!("docs/upgrade.md: a row of less than three cells: {line}")));
        };
        let (kind, name) = object.split_once(' ').unwrap_or((object, "any"));
        let messages = message.split("` or `").map(str::to_owned).collect();
        let [kind, name, remedy] = [kind, name, remedy].map(str::to_owned);
        known.push(Known { kind, name, messages, remedy });
    }
    if known.is_empty() {
        return Err(Failure::new("docs/upgrade.md has no table of refusals"));
    }
    Ok(known)
}

/// A closed walk that takes every way from one of `count` places to another exactly once.
fn walk(count: usize) -> Vec<usize> {
    let mut left: BTreeMap<usize, Vec<usize>> =
        (0..count).map(|from| (from, (0..count).filter(|&to| to != from).collect())).collect();
    let (mut path, mut walk) = (vec![0], Vec::new());
    while let Some(&place) = path.last() {
        match left.get_mut(&place).and_then(Vec::pop) {
            Some(next) => path.push(next),
            None => walk.extend(path.pop()),
        }
    }
    walk.reverse();
    walk
}

/// Deletes what the old stack had and the new one has not; gives the number of objects.
fn prune(plane: &ControlPlane, from: &Rendered, to: &Rendered) -> Result<usize> {
    let id = |object: &Object| [object.kind(), object.namespace(), object.name()].map(str::to_owned);
    let kept: BTreeSet<_> = to.objects.iter().map(id).collect();
    let gone: Vec<_> = from.objects.iter().filter(|object| !kept.contains(&id(object))).collect();
    if gone.is_empty() {
        return Ok(0);
    }
    let path = plane.directory().join("gone.yaml");
    let text: String = gone.iter().flat_map(|object| ["---\n".to_owned(), object.value.text()]).collect();
    fs::write(&path, text).context(path.display())?;
    // Its pods are not there, and a part of the API that does not answer keeps namespaces from going.
    let metrics = ["delete", "--ignore-not-found", "apiservice", "v1beta1.metrics.k8s.io"];
    plane.kubectl.run(&metrics)?.ok("the metrics API")?;
    let path = path.display().to_string();
    let wait = format!("--wait={}", plane.has_controllers());
    let delete = ["delete", "--ignore-not-found", "--timeout=120s", &wait, "-f", &path];
    plane.kubectl.run(&delete)?.ok("what the new stack has no more")?;
    Ok(gone.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_takes_every_way_once() {
        let walk = walk(5);
        let ways: BTreeSet<_> = walk.windows(2).map(|step| (step[0], step[1])).collect();
        assert_eq!((walk.len(), ways.len(), walk.first()), (21, 20, walk.last()));
        assert!(ways.iter().all(|(from, to)| from != to));
    }

    #[test]
    fn refusals_are_read_as_kubectl_tells_them() {
        let line = r#"The StatefulSet "loki" is invalid: spec: Forbidden: updates to statefulset spec are forbidden"#;
        let message = "spec: Forbidden: updates to statefulset spec are forbidden";
        assert_eq!(refusal(line), Some(Refusal { kind: "StatefulSet", name: "loki", message }));
        assert_eq!(refusal("Warning: nothing of that kind"), None);
        let page = "| Object | Says | Why | Do |\n|---|---|---|---|\n| `StatefulSet loki` | `no` or `updates to` | claims | `a` |\n";
        let known = known(page).unwrap();
        assert!(known[0].covers(&refusal(line).unwrap()) && known[0].remedy == "a");
        assert!(super::known("no table").is_err());
    }
}
