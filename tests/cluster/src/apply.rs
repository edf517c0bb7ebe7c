//! A stack comes, stays as it is, and goes.

use crate::assets::Release;
use crate::control_plane::ControlPlane;
use crate::failure::Result;
use crate::inventory::inventory;
use crate::kubectl::Said;
use crate::parallel::parallel;
use crate::prerequisites;
use crate::process::wait_for;
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::Rendered;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const METHOD: &str = "\
On an empty control plane, for every stack: the steps of `just apply`; the same again; `kubectl diff -k`; all pods are
made, so that no admission refuses them; `kubectl apply --server-side -k` over it; `kubectl delete -k`, after which the
cluster holds what it held before. Then plain `kubectl apply -k`, of which the first run may stop at kinds that it does
not know yet, twice and once more, and `kubectl apply --server-side -k` on a cluster that knows nothing. A warning of
the API server is a finding at every step.";

const COLUMNS: [&str; 8] = [
    "Kubernetes",
    "stack",
    "objects",
    "`just apply`",
    "a third time unchanged",
    "pods made",
    "changed by server-side apply",
    "left after `delete -k`",
];

/// They wait for each other more than they work.
const AT_A_TIME: usize = 3;

/// How long controllers may take to act on what was asked.
const CONTROLLERS: Duration = Duration::from_secs(90);

/// Objects that kubectl sends again each time, and then calls configured though nothing is written: a selector that is
/// replaced and never merged, and claims of which an older API server keeps a part.
pub(crate) const SENT_AGAIN: [&str; 2] = ["poddisruptionbudget.policy/", "statefulset.apps/"];

const CLAIMS_CONFLICT: &str =
    "1 conflict: conflict with \"kubectl-client-side-apply\" using apps/v1: .spec.volumeClaimTemplates";

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let trials: Vec<_> = releases.iter().flat_map(|release| stacks.iter().map(move |stack| (release, stack))).collect();
    let mut proof = Proof::new("A stack comes, stays and goes", METHOD, &COLUMNS);
    proof.take(parallel(AT_A_TIME, &trials, |(release, stack)| {
        let title = format!("Kubernetes {}, {}", release.version, stack.name);
        eprintln!("  {title}");
        let mut proof = Proof::default();
        let row = Trial { proof: &mut proof, plane: &virgin(release, stack)?, release, stack, title }.carry_out()?;
        proof.row([release.version.clone(), stack.name.clone()].into_iter().chain(row));
        Ok(proof)
    })?);
    Ok(proof)
}

/// A control plane that has nothing but what the stack asks for.
fn virgin(release: &Release, stack: &Rendered) -> Result<ControlPlane> {
    let plane = ControlPlane::start(release)?;
    prerequisites::bring(&plane, stack)?;
    Ok(plane)
}

struct Trial<'a> {
    proof: &'a mut Proof,
    plane: &'a ControlPlane,
    release: &'a Release,
    stack: &'a Rendered,
    title: String,
}

impl Trial<'_> {
    fn carry_out(mut self) -> Result<Vec<String>> {
        let before = inventory(&self.plane.api)?;
        let start = Instant::now();
        let said = self.plane.kubectl.shell(&recipe::script("apply")?, self.stack.directory.path())?;
        self.accepted("just apply", &said);
        let took = format!("{:.0} s", start.elapsed().as_secs_f64());
        self.run("kubectl apply -k, the second time", &["apply", "-k"])?;
        let unchanged = self.unchanged("kubectl apply -k, the third time")?;
        self.no_difference("kubectl diff -k", &["diff", "-k"])?;
        let pods = self.pods_are_made()?;

        let applied = self.owned()?;
        self.take_over()?;
        self.no_difference("kubectl diff --server-side -k", &["diff", "--server-side", "-k"])?;
        let settled = self.owned()?;
        self.run("kubectl apply --server-side -k again", &["apply", "--server-side", "-k"])?;
        let changed = changes(&settled, &self.owned()?);
        self.proof.expect(changed.is_empty(), || {
            format!("{}: server-side apply changes, each time, {}", self.title, changed.join(", "))
        });
        let written = changes(&applied, &settled).len();
        let left = self.delete(&before)?;
        self.on(&virgin(self.release, self.stack)?).plainly()?;
        self.on(&virgin(self.release, self.stack)?).server_side()?;
        Ok(vec![
            self.stack.objects.len().to_string(),
            took,
            unchanged,
            pods,
            format!("{written}, then {}", changed.len()),
            left.to_string(),
        ])
    }

    /// The same on another control plane.
    fn on<'b>(&'b mut self, plane: &'b ControlPlane) -> Trial<'b> {
        Trial { proof: self.proof, plane, release: self.release, stack: self.stack, title: self.title.clone() }
    }

    /// Without the steps of `just apply`, the first run stops at kinds that the API server does not know yet.
    fn plainly(mut self) -> Result<()> {
        let first = self.plane.kubectl.run(&["apply", "-k", &self.path()])?;
        for line in first.stderr.lines() {
            let known = ["no matches for kind", "ensure CRDs are installed first", "metrics.k8s.io"];
            let known = known.iter().any(|known| line.contains(known));
            self.proof.expect(known, || format!("{}: plain kubectl apply -k: {line}", self.title));
        }
        self.run("plain kubectl apply -k, the second time", &["apply", "-k"])?;
        self.unchanged("plain kubectl apply -k, the third time").map(drop)
    }

    fn server_side(mut self) -> Result<()> {
        let script = recipe::script("apply")?.replace("kubectl apply", "kubectl apply --server-side");
        let said = self.plane.kubectl.shell(&script, self.stack.directory.path())?;
        self.accepted("just apply, server-side", &said);
        self.no_difference("kubectl diff --server-side -k", &["diff", "--server-side", "-k"])
    }

    fn path(&self) -> String {
        self.stack.manifests().display().to_string()
    }

    fn run(&mut self, what: &str, arguments: &[&str]) -> Result<Said> {
        let path = self.path();
        let said = self.plane.kubectl.run(&[arguments, &[path.as_str()]].concat())?;
        self.accepted(what, &said);
        Ok(said)
    }

    /// A command that failed, or made the API server warn, is a finding.
    fn accepted(&mut self, what: &str, said: &Said) {
        let problem = said.stderr.trim_end();
        self.proof.expect(said.status == 0, || format!("{}: {what} (exit {}): {problem}", self.title, said.status));
        for warning in said.warnings() {
            self.proof.finding(format!("{}: {what}: {warning}", self.title));
        }
    }

    /// Applies once more; all objects are `unchanged`.
    fn unchanged(&mut self, what: &str) -> Result<String> {
        let before = self.owned()?;
        let said = self.run(what, &["apply", "-k"])?;
        let written = changes(&before, &self.owned()?);
        let lines = said.applied();
        let same = |object: &str| SENT_AGAIN.iter().any(|kind| object.starts_with(kind)) && written.is_empty();
        let is_changed = |object: &str, became: &str| became != "unchanged" && !same(object);
        let changed: Vec<_> = lines.iter().filter(|(object, became)| is_changed(object, became)).collect();
        for (object, became) in &changed {
            self.proof.finding(format!("{}: {what}: {object} is {became}", self.title));
        }
        let (all, seen) = (self.stack.objects.len(), lines.len());
        self.proof.expect(all == seen, || format!("{}: {what} went over {seen} of {all} objects", self.title));
        Ok(format!("{} of {all}", seen - changed.len()))
    }

    /// Applies server-side what was applied client-side.
    fn take_over(&mut self) -> Result<()> {
        let path = self.path();
        let said = self.plane.kubectl.run(&["apply", "--server-side", "-k", &path])?;
        // Of API servers that keep a part of the claims only, docs/upgrade.md says what to do.
        if said.status != 0 && said.stderr.lines().next().is_some_and(|line| line.ends_with(CLAIMS_CONFLICT)) {
            let again = ["apply", "--server-side", "--force-conflicts", "-k"];
            return self.run("kubectl apply --server-side --force-conflicts -k over it", &again).map(drop);
        }
        self.accepted("kubectl apply --server-side -k over it", &said);
        Ok(())
    }

    /// `kubectl diff` ends with 1 and a diff when something differs.
    fn no_difference(&mut self, what: &str, arguments: &[&str]) -> Result<()> {
        let said = self.run(what, arguments)?;
        self.proof.expect(said.stdout.is_empty(), || format!("{}: {what}:\n{}", self.title, said.stdout));
        Ok(())
    }

    /// Every workload gets its pods; an admission that refuses them is told by the events.
    fn pods_are_made(&mut self) -> Result<String> {
        if !self.plane.has_controllers() {
            self.proof.skip("that pods are admitted: the assets hold no kube-controller-manager");
            return Ok("not tried".to_owned());
        }
        let mut made = 0;
        for object in &self.stack.objects {
            let (resource, field) = match object.kind() {
                "Deployment" => ("deployments", "/status/replicas"),
                "DaemonSet" => ("daemonsets", "/status/currentNumberScheduled"),
                "StatefulSet" => ("statefulsets", "/status/replicas"),
                _ => continue,
            };
            // An autoscaler begins with its least.
            let scaled = self.stack.objects.iter().filter(|it| it.kind() == "HorizontalPodAutoscaler").find(|it| {
                let target = &it.value["spec"]["scaleTargetRef"];
                it.namespace() == object.namespace()
                    && target["kind"] == object.kind()
                    && target["name"] == object.name()
            });
            let least = scaled.and_then(|it| it.value["spec"]["minReplicas"].as_u64());
            let stated = object.value.pointer("/spec/replicas").and_then(Value::as_u64);
            let all = || least.or(stated).unwrap_or(1);
            let wanted = match object.kind() {
                "Deployment" => all(),
                "StatefulSet" if object.value["spec"]["podManagementPolicy"] == "Parallel" => all(),
                // The others come when the first is ready.
                _ => 1,
            };
            let path = format!("/apis/apps/v1/namespaces/{}/{resource}/{}", object.namespace(), object.name());
            let mut there = 0;
            let all = wait_for(CONTROLLERS, || {
                let object = self.plane.api.get(&path).and_then(|answer| answer.ok(&path));
                there = object.ok().and_then(|object| object.pointer(field)?.as_u64()).unwrap_or(0);
                there == wanted
            });
            made += there;
            let events = if all { String::new() } else { self.refusals(object.namespace())? };
            let title = object.title();
            self.proof.expect(all, || format!("{}: {title} has {there} of {wanted} pods: {events}", self.title));
        }
        Ok(made.to_string())
    }

    fn refusals(&self, namespace: &str) -> Result<String> {
        let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=reason%3DFailedCreate");
        let events = self.plane.api.get(&path)?.ok("events")?;
        let messages = events["items"].as_array().into_iter().flatten().filter_map(|event| event["message"].as_str());
        Ok(messages.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("; "))
    }

    /// What kubectl owns of every object of the stack, and since when; controllers write beside it.
    fn owned(&self) -> Result<BTreeMap<String, String>> {
        let list = self.plane.kubectl.run(&["get", "-k", &self.path(), "-o", "json", "--show-managed-fields"])?;
        let list: Value = serde_json::from_str(&list.ok("kubectl get -k")?).unwrap_or_default();
        let mut owned = BTreeMap::new();
        for object in list["items"].as_array().into_iter().flatten() {
            let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let name = format!("{} {}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
            let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
            let ours = |entry: &&Value| entry["manager"].as_str().is_some_and(|name| name.starts_with("kubectl"));
            let ours: Vec<_> = entries.into_iter().flatten().filter(ours).map(Value::to_string).collect();
            owned.insert(name, ours.join("\n"));
        }
        Ok(owned)
    }

    /// Deletes the stack; what is there afterwards and was not before counts as left.
    fn delete(&mut self, before: &BTreeSet<String>) -> Result<usize> {
        let waits = self.plane.has_controllers();
        let wait = format!("--wait={waits}");
        self.run("kubectl delete -k", &["delete", "--ignore-not-found", "--timeout=120s", &wait, "-k"])?;
        let mut left = Vec::new();
        let namespaces = self.stack.objects.iter().filter(|object| object.kind() == "Namespace");
        let within = |name: &str| [format!(" {name}/"), format!("namespaces /{name}")];
        let namespaces: Vec<_> = namespaces.flat_map(|object| within(object.name())).collect();
        wait_for(CONTROLLERS, || {
            left = inventory(&self.plane.api).unwrap_or_default().difference(before).cloned().collect();
            // Without the controllers nobody ends a namespace, nor what the API server has put into it.
            if !waits {
                left.retain(|name| !namespaces.iter().any(|namespace| name.contains(namespace)));
            }
            left.is_empty()
        });
        if !waits {
            self.proof.skip("that namespaces go: the assets hold no kube-controller-manager");
        }
        self.proof.expect(left.is_empty(), || format!("{}: left after delete -k: {}", self.title, left.join(", ")));
        Ok(left.len())
    }
}

fn changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    after.iter().filter(|(name, state)| before.get(*name) != Some(state)).map(|(name, _)| name.clone()).collect()
}
