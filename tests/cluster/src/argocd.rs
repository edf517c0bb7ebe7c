//! Argo CD brings every stack from git, and then finds nothing to do until somebody changes something.

use crate::assets::{self, Release};
use crate::control_plane::ControlPlane;
use crate::delivery::{ADDRESS, Application, Argo, COMPARISON, Live, QUIET, Repository, SYNC};
use crate::delivery::{conditions, differing, live, meddle, started, title, unhealed, written};
use crate::failure::{Failure, Result};
use crate::parallel::parallel;
use crate::prerequisites;
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::Rendered;
use crate::surroundings::Surroundings;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use vigil_render::Object;
use vigil_stack::Stack;
use vigil_stack::model::{Destination, Install};

const METHOD: &str = "\
Argo CD's application controller and repository server run as processes, with the commit of their engine that
`tools/cluster/argocd/go.mod` names. Every stack is rendered with `argocd.enabled` and `install: manifests`, and
committed to a git repository on this machine, whose address takes the place of the stack's in `manifests/argocd`;
then `kubectl apply -f manifests/argocd`. Who else acts in a cluster is played: pods run, volumes are found,
cert-manager issues, the Jobs of the webhooks do with their rights what they do, and the authority is written into the
webhooks; prometheus-operator is the program. Services and Ingresses get no address, and nobody answers for
metrics-server: no sync may wait for them. On the newest Kubernetes Argo CD starts with nothing, on the others it
takes over from `just apply`, with one sync that it is asked for. After the sync: a hard refresh; half a minute in
which nobody does anything; a second sync of everything; objects are changed and deleted by hand; Grafana is switched
off in the stack; a hard refresh by a controller that compares server-side. What is out of sync when it should not be,
an object that is written for nothing and a condition of the Application are findings.";

const COLUMNS: [&str; 9] = [
    "Kubernetes",
    "stack",
    "objects",
    "Synced after",
    "out of sync: after the sync, hard refresh, server-side",
    "written: in 30 s, by a second sync",
    "changed by hand, and healed",
    "pruned",
    "not healthy",
];

/// They wait more than they work.
const AT_A_TIME: usize = 4;

/// What stays unhealthy for reasons of the cluster, and holds up nothing: nobody gives addresses, and metrics-server
/// answers nobody.
const UNANSWERED: [&str; 3] = ["APIService", "Ingress", "Service"];

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let version = assets::version("argocd")?;
    let mut proof = Proof::new("Argo CD finds nothing to do", &format!("Argo CD {version}. {METHOD}"), &COLUMNS);
    let mut trials = Vec::new();
    for release in releases {
        if release.controller_manager.is_none() {
            proof.skip(format!("Kubernetes {}: the assets hold no kube-controller-manager", release.version));
            continue;
        }
        let is_newest = releases.last().is_some_and(|newest| newest.version == release.version);
        trials.extend(stacks.iter().map(|stack| (release, stack, !is_newest)));
    }
    proof.take(parallel(AT_A_TIME, &trials, |&(release, stack, takes_over)| {
        let title = format!("Kubernetes {}, {}", release.version, stack.name);
        eprintln!("  {title}");
        let stack = delivered(stack)?;
        let plane = ControlPlane::start(release)?;
        prerequisites::bring(&plane, &stack)?;
        if takes_over {
            plane.kubectl.shell(&recipe::script("apply")?, stack.directory.path())?.ok("just apply")?;
        }
        let argocd = &stack.stack.argocd;
        let argo = Argo::start(&plane, argocd.namespace.as_str())?;
        let repository = Repository::new(&plane, argocd.revision.as_str())?;
        let application = Application::new(&plane, argocd.namespace.as_str(), argocd.project.as_str());
        let surroundings = Surroundings::of(&plane, &stack);
        let (plane, stack, mut proof) = (&plane, &stack, Proof::default());
        let trial = Trial { proof: &mut proof, plane, argo, repository, application, surroundings, stack, title };
        let row = trial.carry_out(takes_over)?;
        proof.row([release.version.clone(), stack.name.clone()].into_iter().chain(row));
        Ok(proof)
    })?);
    proof.skip(
        "the Applications of `install: charts`: the charts are in no repository of this machine; their values files are \
         checked by `tests/values.rs`",
    );
    Ok(proof)
}

/// A stack as Argo CD shall bring it to the cluster that it runs in itself.
fn delivered(stack: &Rendered) -> Result<Rendered> {
    let address = ADDRESS.parse().map_err(|_| Failure::new(ADDRESS))?;
    stack.but(|stack| {
        stack.argocd.enabled = true;
        stack.argocd.install = Install::Manifests;
        stack.argocd.repository = Some(address);
        stack.argocd.path = Stack::default().argocd.path;
        stack.argocd.destination = Destination::default();
    })
}

struct Trial<'a> {
    proof: &'a mut Proof,
    plane: &'a ControlPlane,
    argo: Argo,
    repository: Repository,
    application: Application<'a>,
    surroundings: Surroundings<'a>,
    stack: &'a Rendered,
    title: String,
}

impl Trial<'_> {
    fn carry_out(mut self, takes_over: bool) -> Result<Vec<String>> {
        let start = Instant::now();
        let revision = self.repository.commit(self.stack.directory.path(), &self.stack.name)?;
        self.repository.deliver(&self.plane.kubectl, &self.stack.manifests().join("argocd"))?;
        if takes_over {
            // What kubectl has applied is as git says, so that Argo CD does nothing by itself.
            let synced = self.until(SYNC, |application| application["status"]["sync"]["status"] == "Synced")?;
            self.proof.expect(synced, || format!("{}: what `just apply` applied is not in sync", self.title));
            self.out_of_sync("after `just apply`")?;
            self.sync(&revision)?;
        } else if !self.synced_to(&revision)? {
            return Err(Failure::new(format!("{}: the first sync: {}", self.title, self.proof.findings.concat())));
        }
        let took = format!("{:.0} s", start.elapsed().as_secs_f64());
        if !takes_over {
            self.in_waves()?;
        }
        self.jobs_ran()?;
        let unhealthy = self.unhealthy()?;
        let synced = self.out_of_sync("after the sync")?;
        self.refresh("hard")?;
        let refreshed = self.out_of_sync("after a hard refresh")?;

        let idle = self.idle()?;
        let again = self.again(&revision)?;
        let healed = self.by_hand(&revision)?;
        let pruned = self.without_grafana()?;

        self.argo.control(self.plane, true)?;
        self.refresh("hard")?;
        let server_side = self.out_of_sync("compared server-side")?;
        Ok(vec![
            self.stack.objects.len().to_string(),
            took,
            format!("{synced}, {refreshed}, {server_side}"),
            format!("{idle}, {again}"),
            healed,
            pruned,
            unhealthy,
        ])
    }

    /// Lets the cluster live until the Application is as it should be, or the time is over.
    fn until(&mut self, limit: Duration, yes: impl Fn(&Value) -> bool) -> Result<bool> {
        self.application.until(limit, || self.surroundings.turn(), yes)
    }

    /// Waits until a revision is applied, and everything is as it says.
    fn synced_to(&mut self, revision: &str) -> Result<bool> {
        let synced = self.application.synced_to(revision, || self.surroundings.turn())?;
        if !synced {
            let (trouble, log) = (self.application.trouble()?, self.argo.last_words());
            self.proof.finding(format!("{}: {trouble}\n{log}", self.title));
        }
        Ok(synced)
    }

    /// Every object of a wave was made after those of the waves before it, but for the Application's namespace: Argo CD
    /// makes it before everything.
    fn in_waves(&mut self) -> Result<()> {
        let mut waves: BTreeMap<i64, (String, String)> = BTreeMap::new();
        let first = format!("Namespace {}", self.stack.stack.namespaces.monitoring.as_str());
        for (_, object) in self.live()?.iter().filter(|(title, _)| **title != first) {
            let wave = object.pointer("/metadata/annotations/argocd.argoproj.io~1sync-wave").and_then(Value::as_str);
            let made = object.pointer("/metadata/creationTimestamp").and_then(Value::as_str).unwrap_or_default();
            let wave = wave.and_then(|wave| wave.parse().ok()).unwrap_or(0);
            let (first, last) = waves.entry(wave).or_insert_with(|| (made.to_owned(), made.to_owned()));
            *first = made.to_owned().min(first.clone());
            *last = made.to_owned().max(last.clone());
        }
        let waves: Vec<_> = waves.into_iter().collect();
        for pair in waves.windows(2) {
            let [(earlier, (_, last)), (later, (first, _))] = pair else { continue };
            self.proof.expect(last <= first, || {
                format!("{}: wave {later} began at {first}, wave {earlier} ended at {last}", self.title)
            });
        }
        Ok(())
    }

    /// Jobs ran in the sync, and are gone.
    fn jobs_ran(&mut self) -> Result<()> {
        let jobs: BTreeSet<_> =
            self.stack.objects.iter().filter(|object| object.kind() == "Job").map(Object::title).collect();
        let application = self.application.get()?;
        let results = application.pointer("/status/operationState/syncResult/resources").and_then(Value::as_array);
        let is_hook = |result: &&Value| result["hookType"].is_string() && result["hookPhase"] == "Succeeded";
        let ran = results.into_iter().flatten().filter(is_hook);
        let ran: BTreeSet<_> = ran.map(title).collect();
        self.proof.expect(ran == jobs, || format!("{}: of the Jobs {jobs:?} ran {ran:?}", self.title));
        let live = self.live()?;
        for job in jobs.iter().filter(|job| live.contains_key(*job)) {
            self.proof.finding(format!("{}: {job} is still there", self.title));
        }
        Ok(())
    }

    /// What is not healthy when everybody has done his part; a finding if the cluster is no reason for it.
    fn unhealthy(&mut self) -> Result<String> {
        let ill = |application: &Value| -> Vec<Value> {
            let resources = application["status"]["resources"].as_array().into_iter().flatten();
            let ill = |resource: &&Value| resource["health"]["status"].as_str().is_some_and(|is| is != "Healthy");
            resources.filter(ill).cloned().collect()
        };
        let excused = |resource: &Value| UNANSWERED.iter().any(|kind| resource["kind"] == *kind);
        self.until(COMPARISON, |application| ill(application).iter().all(excused))?;
        let ill = ill(&self.application.get()?);
        for resource in ill.iter().filter(|resource| !excused(resource)) {
            let title = title(resource);
            self.proof.finding(format!("{}: {title} is not healthy: {}", self.title, resource["health"]));
        }
        let kinds: BTreeSet<_> = ill.iter().filter_map(|resource| resource["kind"].as_str()).collect();
        let counted = |kind: &str| (kind.to_owned(), ill.iter().filter(|resource| resource["kind"] == kind).count());
        let told = kinds.into_iter().map(counted).map(|(kind, count)| format!("{count} {kind}"));
        let told: Vec<_> = told.collect();
        Ok(if told.is_empty() { "nothing".to_owned() } else { told.join(", ") })
    }

    /// Has the Application compared anew; waits for it.
    fn refresh(&mut self, how: &str) -> Result<()> {
        self.application.refresh(how, || self.surroundings.turn())
    }

    /// What Argo CD says is not as git says, each a finding, and so is whatever it warns of.
    fn out_of_sync(&mut self, when: &str) -> Result<usize> {
        let application = self.application.get()?;
        let found = differing(&application);
        for title in &found {
            self.proof.finding(format!("{}: {when}: {title} is out of sync", self.title));
        }
        for condition in conditions(&application) {
            self.proof.finding(format!("{}: {when}: {condition}", self.title));
        }
        Ok(found.len())
    }

    /// Nothing is written while nobody does anything.
    fn idle(&mut self) -> Result<usize> {
        let (before, operation) = (self.live()?, started(&self.application.get()?));
        self.until(QUIET, |_| false)?;
        let after = started(&self.application.get()?);
        self.proof.expect(operation == after, || format!("{}: a sync for nothing at {after}", self.title));
        self.unwritten("in half a minute", &before)
    }

    /// A second sync of everything succeeds, and writes nothing.
    fn again(&mut self, revision: &str) -> Result<usize> {
        let before = self.live()?;
        self.sync(revision)?;
        self.jobs_ran()?;
        self.unwritten("by a second sync", &before)
    }

    /// Asks for a sync of everything, as `argocd app sync --prune` does.
    fn sync(&mut self, revision: &str) -> Result<()> {
        let options = &self.application.get()?["spec"]["syncPolicy"]["syncOptions"];
        let sync = json!({ "revision": revision, "prune": true, "syncOptions": options });
        self.application.change(&json!({ "operation": { "initiatedBy": { "username": "proof" }, "sync": sync } }))?;
        self.until(COMPARISON, |application| application.get("operation").is_none())?;
        self.synced_to(revision).map(drop)
    }

    /// Objects of many kinds that somebody changed or deleted are told, and put right: by Argo CD itself, if the stack
    /// wants that.
    fn by_hand(&mut self, revision: &str) -> Result<String> {
        let before = self.live()?;
        let touched = meddle(&self.plane.kubectl, &self.stack.objects, "grafana")?;
        if self.stack.stack.argocd.automated.self_heal {
            let differs = |application: &Value| !differing(application).is_empty();
            let _seen = self.until(Duration::from_secs(5), differs)?;
        } else {
            let all = touched.clone();
            self.until(COMPARISON, move |application| differing(application) == all)?;
            let told = differing(&self.application.get()?);
            self.proof.expect(told == touched, || format!("{}: changed {touched:?}, told {told:?}", self.title));
            self.until(QUIET / 3, |_| false)?;
            let left = differing(&self.application.get()?);
            self.proof.expect(left == told, || format!("{}: healed without being asked: {left:?}", self.title));
            self.sync(revision)?;
        }
        let start = Instant::now();
        let mut wrong;
        loop {
            let _synced = self.until(COMPARISON, |application| differing(application).is_empty())?;
            wrong = unhealed(&touched, &before, &self.live()?);
            if wrong.is_empty() || start.elapsed() > COMPARISON {
                break;
            }
        }
        for title in &wrong {
            self.proof.finding(format!("{}: {title}, changed by hand, is not as before", self.title));
        }
        Ok(format!("{}, {}", touched.len(), touched.len() - wrong.len()))
    }

    /// What Grafana needed goes when the stack has it no more.
    fn without_grafana(&mut self) -> Result<String> {
        let without = self.stack.but(|stack| stack.grafana.enabled = false)?;
        let kept: BTreeSet<_> = without.objects.iter().map(Object::title).collect();
        let gone: BTreeSet<_> =
            self.stack.objects.iter().map(Object::title).filter(|title| !kept.contains(title)).collect();
        let namespaces: BTreeSet<_> = gone.iter().filter(|title| title.starts_with("Namespace ")).cloned().collect();
        let revision = self.repository.commit(without.directory.path(), "without Grafana")?;
        self.refresh("normal")?;
        let mut text = gone.len().to_string();
        if !self.stack.stack.argocd.automated.prune {
            let all = gone.clone();
            self.until(SYNC, move |application| differing(application) == all)?;
            let told = differing(&self.application.get()?);
            self.proof.expect(told == gone, || format!("{}: no more in git {gone:?}, told {told:?}", self.title));
            let live = self.live()?;
            let lost: Vec<_> = gone.iter().filter(|title| !live.contains_key(*title)).collect();
            self.proof.expect(lost.is_empty(), || format!("{}: pruned without being asked: {lost:?}", self.title));
            self.sync(&revision)?;
        } else if !namespaces.is_empty() {
            let asks = |application: &Value| {
                let message = application["status"]["operationState"]["message"].as_str().unwrap_or_default();
                message.contains("confirmation")
            };
            let asked = self.until(SYNC, asks)?;
            self.proof.expect(asked, || format!("{}: nobody asked before {namespaces:?} went", self.title));
            let live = self.live()?;
            let lost: Vec<_> = namespaces.iter().filter(|title| !live.contains_key(*title)).collect();
            self.proof.expect(lost.is_empty(), || format!("{}: went unconfirmed: {lost:?}", self.title));
            let now = self.plane.kubectl.shell("date --utc +%FT%TZ", self.plane.directory())?.ok("date")?;
            let approved = json!({ "argocd.argoproj.io/deletion-approved": now.trim() });
            self.application.change(&json!({ "metadata": { "annotations": approved } }))?;
            text = format!("{text}, {} after a confirmation", namespaces.len());
        }
        self.synced_to(&revision)?;
        let live = self.live()?;
        let left: Vec<_> = gone.iter().filter(|title| live.contains_key(*title)).collect();
        self.proof.expect(left.is_empty(), || format!("{}: not pruned: {left:?}", self.title));
        self.out_of_sync("without Grafana")?;
        Ok(text)
    }

    /// The objects of the stack that are there.
    fn live(&self) -> Result<Live> {
        live(&self.plane.kubectl, &self.stack.manifests())
    }

    /// Nothing was written since; gives the number of objects that were.
    fn unwritten(&mut self, when: &str, before: &Live) -> Result<usize> {
        let after = self.live()?;
        let written = written(before, &after);
        for title in &written {
            self.proof.finding(format!("{}: {title} was written {when}", self.title));
        }
        Ok(written.len())
    }
}
