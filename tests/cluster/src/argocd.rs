//! Argo CD brings every stack from git, and then finds nothing to do until somebody changes something.

use crate::assets::{self, Release, program};
use crate::control_plane::ControlPlane;
use crate::failure::{Context, Failure, Result};
use crate::http::Http;
use crate::parallel::parallel;
use crate::prerequisites;
use crate::process::{Process, free_port, tail};
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::Rendered;
use crate::surroundings::Surroundings;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
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

/// What a sync may take, with its waits for other programs.
const SYNC: Duration = Duration::from_secs(300);

/// What a comparison may take.
const COMPARISON: Duration = Duration::from_secs(90);

/// For how long nothing may happen.
const QUIET: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(300);

/// Where a stack says that it lives in git; this machine's repository takes its place.
const ADDRESS: &str = "https://git.example.com/platform/monitoring.git";

/// What stays unhealthy for reasons of the cluster, and holds up nothing: nobody gives addresses, and metrics-server
/// answers nobody.
const UNANSWERED: [&str; 3] = ["APIService", "Ingress", "Service"];

/// What is done to the first object of a kind by hand. Each value is one that git holds as well: of what it does not
/// hold, Argo CD says nothing.
const BY_HAND: [(&str, &str); 5] = [
    ("CustomResourceDefinition", r#"{"spec":{"names":{"shortNames":["changed"]}}}"#),
    ("ClusterRole", r#"{"rules":[]}"#),
    ("Deployment", r#"{"spec":{"replicas":3}}"#),
    ("ServiceMonitor", r#"{"spec":{"endpoints":[]}}"#),
    ("NetworkPolicy", r#"{"spec":{"policyTypes":["Egress"]}}"#),
];

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
        let argo = Argo::start(&plane, &stack.stack)?;
        let repository = Repository::new(&plane, &stack.stack)?;
        let surroundings = Surroundings::of(&plane, &stack);
        let mut proof = Proof::default();
        let trial = Trial { proof: &mut proof, plane: &plane, argo, repository, surroundings, stack: &stack, title };
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

/// The processes of Argo CD.
struct Argo {
    controller: Option<Process>,
    // Who asks goes first.
    _repositories: Process,
    _redis: Process,
    arguments: Vec<String>,
}

impl Argo {
    /// Starts it, with its definitions and settings.
    fn start(plane: &ControlPlane, stack: &Stack) -> Result<Self> {
        let namespace = stack.argocd.namespace.as_str();
        settle(plane, namespace)?;
        let binary = program("argocd", "argocd")?;
        let (redis, repositories) = (free_port()?, free_port()?);
        let redis = format!("127.0.0.1:{redis}");
        let memory = Process::start("redis", &binary, ["redis", "--address", &redis], &[], plane.directory())?;
        let arguments = [
            "argocd-application-controller".to_owned(),
            format!("--namespace={namespace}"),
            format!("--redis={redis}"),
            format!("--repo-server=127.0.0.1:{repositories}"),
            "--repo-server-plaintext".to_owned(),
            // Says in the Application which object is not healthy.
            "--persist-resource-health".to_owned(),
        ];
        let server = repository_server(plane, namespace, &redis, repositories)?;
        let mut argo = Self { controller: None, _repositories: server, _redis: memory, arguments: arguments.to_vec() };
        argo.control(plane, false)?;
        Ok(argo)
    }

    /// Starts the controller, in place of the one that runs.
    fn control(&mut self, plane: &ControlPlane, compares_server_side: bool) -> Result<()> {
        drop(self.controller.take());
        let port = free_port()?;
        let mut words = self.arguments.clone();
        words.push(format!("--metrics-port={port}"));
        words.push(format!("--server-side-diff-enabled={compares_server_side}"));
        let mut environment = plane.kubectl.environment().to_vec();
        environment.push(("ARGOCD_FAKE_IN_CLUSTER", OsStr::new("true")));
        environment.push(unsigned());
        let binary = program("argocd", "argocd")?;
        let mut controller = Process::start("argocd-controller", &binary, words, &environment, plane.directory())?;
        let http = Http::at(port);
        controller.wait_until(COMPARISON, || http.is_ok("/healthz"))?;
        self.controller = Some(controller);
        Ok(())
    }
}

/// Brings what an installation of Argo CD consists of beside its processes.
fn settle(plane: &ControlPlane, namespace: &str) -> Result<()> {
    plane.kubectl.define([program("argocd", "crds")?.as_path()])?;
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
    prerequisites::create(plane, "/api/v1/namespaces", &object)?;
    let settings = program("argocd", "config")?.display().to_string();
    plane.kubectl.run(&["apply", "--namespace", namespace, "-f", &settings])?.ok("the settings of Argo CD")?;
    // What its API server, which does not run here, makes at its first start.
    let key = json!({ "stringData": { "server.secretkey": "proof" } }).to_string();
    let patch = ["patch", "secret", "argocd-secret", "--namespace", namespace, "--patch", &key];
    plane.kubectl.run(&patch)?.ok("the key of Argo CD").map(drop)
}

/// Starts the server that makes manifests of what is in git.
fn repository_server(plane: &ControlPlane, namespace: &str, redis: &str, port: u16) -> Result<Process> {
    let binary = program("argocd", "argocd")?;
    let metrics = free_port()?;
    let words = [
        "argocd-repo-server".to_owned(),
        "--address=127.0.0.1".to_owned(),
        format!("--port={port}"),
        "--metrics-address=127.0.0.1".to_owned(),
        format!("--metrics-port={metrics}"),
        format!("--redis={redis}"),
        "--disable-tls".to_owned(),
        "--client-ca-path=".to_owned(),
    ];
    // It runs what stands beside it.
    let beside = binary.parent().unwrap_or(Path::new("/")).to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(beside).chain(std::env::split_paths(&others))).context("PATH")?;
    let logs = plane.directory();
    let (files, socket) = (logs.join("argocd"), logs.join("ask-pass.sock"));
    fs::create_dir_all(&files).context(files.display())?;
    let mut environment = plane.kubectl.environment().to_vec();
    environment.extend([
        ("PATH", path.as_os_str()),
        ("TMPDIR", files.as_os_str()),
        ("ARGOCD_NAMESPACE", OsStr::new(namespace)),
        ("ARGOCD_ASK_PASS_SOCK", socket.as_os_str()),
        ("ARGOCD_PLUGINSOCKFILEPATH", files.as_os_str()),
        unsigned(),
    ]);
    let mut server = Process::start("argocd-repo-server", &binary, words, &environment, logs)?;
    let http = Http::at(metrics);
    server.wait_until(COMPARISON, || http.is_ok("/metrics"))?;
    Ok(server)
}

/// Nobody signs the commits.
fn unsigned() -> (&'static str, &'static OsStr) {
    ("ARGOCD_GPG_ENABLED", OsStr::new("false"))
}

/// A git repository with one branch.
struct Repository {
    directory: PathBuf,
    branch: String,
}

impl Repository {
    fn new(plane: &ControlPlane, stack: &Stack) -> Result<Self> {
        let new = Self {
            directory: plane.directory().join("monitoring.git"),
            branch: stack.argocd.revision.as_str().to_owned(),
        };
        let branch = format!("--initial-branch={}", new.branch);
        git(&["init".as_ref(), "--quiet".as_ref(), "--bare".as_ref(), branch.as_ref(), new.directory.as_os_str()])?;
        Ok(new)
    }

    fn address(&self) -> String {
        format!("file://{}", self.directory.display())
    }

    /// Commits what a stack rendered to; gives the revision.
    fn commit(&self, stack: &Rendered) -> Result<String> {
        let place = format!("--git-dir={}", self.directory.display());
        let tree = format!("--work-tree={}", stack.directory.path().display());
        let run = |words: &[&str]| {
            let words = [&[place.as_str(), tree.as_str()], words].concat();
            git(&words.into_iter().map(OsStr::new).collect::<Vec<_>>())
        };
        run(&["add", "--all"])?;
        run(&["-c", "user.name=proof", "-c", "user.email=proof@example.com", "commit", "--quiet", "-m", &stack.name])?;
        run(&["rev-parse", "HEAD"]).map(|revision| revision.trim().to_owned())
    }
}

fn git(words: &[&OsStr]) -> Result<String> {
    let mut command = Command::new("git");
    command.args(words).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command.output().context("git")?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(format!("git {words:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

struct Trial<'a> {
    proof: &'a mut Proof,
    plane: &'a ControlPlane,
    argo: Argo,
    repository: Repository,
    surroundings: Surroundings<'a>,
    stack: &'a Rendered,
    title: String,
}

impl Trial<'_> {
    fn carry_out(mut self, takes_over: bool) -> Result<Vec<String>> {
        let start = Instant::now();
        let revision = self.repository.commit(self.stack)?;
        self.deliver()?;
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

    /// Applies `manifests/argocd`, with this machine's repository.
    fn deliver(&self) -> Result<()> {
        let place = self.plane.directory().join("delivery");
        fs::create_dir_all(&place).context(place.display())?;
        let from = self.stack.manifests().join("argocd");
        for entry in fs::read_dir(&from).context(from.display())?.flatten() {
            let text = fs::read_to_string(entry.path()).context(entry.path().display())?;
            let text = text.replace(ADDRESS, &self.repository.address());
            fs::write(place.join(entry.file_name()), text).context(place.display())?;
        }
        let place = place.display().to_string();
        self.plane.kubectl.run(&["apply", "-f", &place])?.ok("kubectl apply -f manifests/argocd").map(drop)
    }

    fn path(&self) -> String {
        let argocd = &self.stack.stack.argocd;
        let (namespace, name) = (argocd.namespace.as_str(), argocd.project.as_str());
        format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/{name}")
    }

    fn application(&self) -> Result<Value> {
        self.plane.api.get(&self.path())?.ok("the Application")
    }

    fn change_application(&self, change: &Value) -> Result<()> {
        let merge = "application/merge-patch+json";
        self.plane.api.send("PATCH", &self.path(), merge, &change.to_string())?.ok("the Application").map(drop)
    }

    /// Lets the cluster live until the Application is as it should be, or the time is over.
    fn until(&mut self, limit: Duration, yes: impl Fn(&Value) -> bool) -> Result<bool> {
        let start = Instant::now();
        loop {
            self.surroundings.turn()?;
            if yes(&self.application()?) {
                return Ok(true);
            }
            if start.elapsed() > limit {
                return Ok(false);
            }
            sleep(PAUSE);
        }
    }

    /// Waits until a revision is applied, and everything is as it says.
    fn synced_to(&mut self, revision: &str) -> Result<bool> {
        let done = self.until(SYNC, |application| {
            let operation = &application["status"]["operationState"];
            operation["syncResult"]["revision"] == revision && operation["phase"] == "Succeeded"
        })?;
        if done {
            let compared = |application: &Value| application["status"]["sync"]["status"] == "Synced";
            return self.until(COMPARISON, compared);
        }
        let application = self.application()?;
        let operation = &application["status"]["operationState"];
        let results = operation["syncResult"]["resources"].as_array().into_iter().flatten();
        let bad = |result: &&Value| result["status"] != "Synced" || result["hookPhase"] != "Succeeded";
        let bad: Vec<_> = results.filter(bad).map(Value::to_string).take(10).collect();
        let conditions = &application["status"]["conditions"];
        let log = self.argo.controller.as_ref().map(|controller| tail(&controller.log(), 5)).unwrap_or_default();
        self.proof.finding(format!(
            "{}: not synced after {} s: {} {}; {}; conditions {conditions}\n{log}",
            self.title,
            SYNC.as_secs(),
            operation["phase"],
            operation["message"],
            bad.join("; "),
        ));
        Ok(false)
    }

    /// Every object of a wave was made after those of the waves before it, but for the Application's namespace: Argo CD
    /// makes it before everything.
    fn in_waves(&mut self) -> Result<()> {
        let mut waves: BTreeMap<i64, (String, String)> = BTreeMap::new();
        let first = format!("Namespace {}", self.stack.stack.namespaces.monitoring.as_str());
        for (_, object) in self.live(self.stack)?.iter().filter(|(title, _)| **title != first) {
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
        let application = self.application()?;
        let results = application.pointer("/status/operationState/syncResult/resources").and_then(Value::as_array);
        let is_hook = |result: &&Value| result["hookType"].is_string() && result["hookPhase"] == "Succeeded";
        let ran = results.into_iter().flatten().filter(is_hook);
        let ran: BTreeSet<_> = ran.map(title).collect();
        self.proof.expect(ran == jobs, || format!("{}: of the Jobs {jobs:?} ran {ran:?}", self.title));
        let live = self.live(self.stack)?;
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
        let ill = ill(&self.application()?);
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
        const REFRESH: &str = "argocd.argoproj.io/refresh";
        self.change_application(&json!({ "metadata": { "annotations": { REFRESH: how } } }))?;
        let done =
            self.until(COMPARISON, |application| application["metadata"]["annotations"].get(REFRESH).is_none())?;
        if done { Ok(()) } else { Err(Failure::new(format!("{}: no comparison", self.title))) }
    }

    /// What Argo CD says is not as git says, each a finding, and so is whatever it warns of.
    fn out_of_sync(&mut self, when: &str) -> Result<usize> {
        let application = self.application()?;
        let found = differing(&application);
        for title in &found {
            self.proof.finding(format!("{}: {when}: {title} is out of sync", self.title));
        }
        for condition in application["status"]["conditions"].as_array().into_iter().flatten() {
            let text = |key: &str| condition[key].as_str().unwrap_or_default();
            self.proof.finding(format!("{}: {when}: {}: {}", self.title, text("type"), text("message")));
        }
        Ok(found.len())
    }

    /// Nothing is written while nobody does anything.
    fn idle(&mut self) -> Result<usize> {
        let started = |application: &Value| application["status"]["operationState"]["startedAt"].clone();
        let (before, operation) = (self.versions()?, started(&self.application()?));
        self.until(QUIET, |_| false)?;
        let after = started(&self.application()?);
        self.proof.expect(operation == after, || format!("{}: a sync for nothing at {after}", self.title));
        self.unwritten("in half a minute", &before)
    }

    /// A second sync of everything succeeds, and writes nothing.
    fn again(&mut self, revision: &str) -> Result<usize> {
        let before = self.versions()?;
        self.sync(revision)?;
        self.jobs_ran()?;
        self.unwritten("by a second sync", &before)
    }

    /// Asks for a sync of everything, as `argocd app sync --prune` does.
    fn sync(&mut self, revision: &str) -> Result<()> {
        let options = &self.application()?["spec"]["syncPolicy"]["syncOptions"];
        let sync = json!({ "revision": revision, "prune": true, "syncOptions": options });
        self.change_application(&json!({ "operation": { "initiatedBy": { "username": "proof" }, "sync": sync } }))?;
        self.until(COMPARISON, |application| application.get("operation").is_none())?;
        self.synced_to(revision).map(drop)
    }

    /// Objects of many kinds that somebody changed or deleted are told, and put right: by Argo CD itself, if the stack
    /// wants that.
    fn by_hand(&mut self, revision: &str) -> Result<String> {
        let before = self.live(self.stack)?;
        let mut touched = BTreeSet::new();
        for (kind, patch) in BY_HAND {
            if let Some(object) = self.stack.objects.iter().find(|object| object.kind() == kind) {
                self.at(object, &["patch", "--type", "merge", "--patch", patch])?;
                touched.insert(object.title());
            }
        }
        let config = self.stack.objects.iter().find(|object| object.kind() == "ConfigMap");
        let key = config.and_then(|object| object.value.pointer("/data")?.as_object()?.keys().next().cloned());
        if let (Some(config), Some(key)) = (config, key) {
            let patch = json!({ "data": { key: "changed" } }).to_string();
            self.at(config, &["patch", "--type", "merge", "--patch", &patch])?;
            touched.insert(config.title());
        }
        let account = self.stack.object("grafana", "ServiceAccount")?;
        self.at(account, &["delete"])?;
        touched.insert(account.title());

        if self.stack.stack.argocd.automated.self_heal {
            let differs = |application: &Value| !differing(application).is_empty();
            let _seen = self.until(Duration::from_secs(5), differs)?;
        } else {
            let all = touched.clone();
            self.until(COMPARISON, move |application| differing(application) == all)?;
            let told = differing(&self.application()?);
            self.proof.expect(told == touched, || format!("{}: changed {touched:?}, told {told:?}", self.title));
            self.until(QUIET / 3, |_| false)?;
            let left = differing(&self.application()?);
            self.proof.expect(left == told, || format!("{}: healed without being asked: {left:?}", self.title));
            self.sync(revision)?;
        }
        let start = Instant::now();
        let mut wrong = Vec::new();
        loop {
            let _synced = self.until(COMPARISON, |application| differing(application).is_empty())?;
            let after = self.live(self.stack)?;
            wrong.clear();
            let same = |title: &String| before.get(title).map(essence) == after.get(title).map(essence);
            wrong.extend(touched.iter().filter(|title| !same(title)).cloned());
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
        let revision = self.repository.commit(&without)?;
        self.refresh("normal")?;
        let mut text = gone.len().to_string();
        if !self.stack.stack.argocd.automated.prune {
            let all = gone.clone();
            self.until(SYNC, move |application| differing(application) == all)?;
            let told = differing(&self.application()?);
            self.proof.expect(told == gone, || format!("{}: no more in git {gone:?}, told {told:?}", self.title));
            let live = self.live(self.stack)?;
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
            let live = self.live(self.stack)?;
            let lost: Vec<_> = namespaces.iter().filter(|title| !live.contains_key(*title)).collect();
            self.proof.expect(lost.is_empty(), || format!("{}: went unconfirmed: {lost:?}", self.title));
            let now = self.plane.kubectl.shell("date --utc +%FT%TZ", self.plane.directory())?.ok("date")?;
            let approved = json!({ "argocd.argoproj.io/deletion-approved": now.trim() });
            self.change_application(&json!({ "metadata": { "annotations": approved } }))?;
            text = format!("{text}, {} after a confirmation", namespaces.len());
        }
        self.synced_to(&revision)?;
        let live = self.live(self.stack)?;
        let left: Vec<_> = gone.iter().filter(|title| live.contains_key(*title)).collect();
        self.proof.expect(left.is_empty(), || format!("{}: not pruned: {left:?}", self.title));
        self.out_of_sync("without Grafana")?;
        Ok(text)
    }

    /// Does something to an object with kubectl.
    fn at(&self, object: &Object, words: &[&str]) -> Result<()> {
        let (verb, rest) = words.split_first().unwrap_or((&"get", &[]));
        let mut all = vec![*verb, object.kind(), object.name()];
        if !object.namespace().is_empty() {
            all.extend(["--namespace", object.namespace()]);
        }
        all.extend(rest);
        self.plane.kubectl.run(&all)?.ok(&object.title()).map(drop)
    }

    /// The objects of a stack that are there.
    fn live(&self, stack: &Rendered) -> Result<BTreeMap<String, Value>> {
        let path = stack.manifests().display().to_string();
        let text = self.plane.kubectl.run(&["get", "--ignore-not-found", "-o", "json", "-k", &path])?;
        let mut list: Value = serde_json::from_str(&text.ok("kubectl get -k")?).context("kubectl get -k")?;
        let items = list["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let named = items.into_iter().map(|object| {
            let mut of = object["metadata"].clone();
            of["kind"] = object["kind"].clone();
            (title(&of), object)
        });
        Ok(named.collect())
    }

    fn versions(&self) -> Result<BTreeMap<String, Value>> {
        let live = self.live(self.stack)?;
        Ok(live.into_iter().map(|(title, object)| (title, object["metadata"]["resourceVersion"].clone())).collect())
    }

    /// Nothing was written since; gives the number of objects that were.
    fn unwritten(&mut self, when: &str, before: &BTreeMap<String, Value>) -> Result<usize> {
        let after = self.versions()?;
        let written: Vec<_> = before.iter().filter(|(title, version)| after.get(*title) != Some(version)).collect();
        for (title, _) in &written {
            self.proof.finding(format!("{}: {title} was written {when}", self.title));
        }
        Ok(written.len())
    }
}

/// `Kind namespace/name` of what has these three as keys.
fn title(resource: &Value) -> String {
    let text = |key: &str| resource[key].as_str().unwrap_or_default();
    match text("namespace") {
        "" => format!("{} {}", text("kind"), text("name")),
        namespace => format!("{} {namespace}/{}", text("kind"), text("name")),
    }
}

/// What an Application says is out of sync.
fn differing(application: &Value) -> BTreeSet<String> {
    let resources = application["status"]["resources"].as_array().into_iter().flatten();
    resources.filter(|resource| resource["status"] == "OutOfSync").map(title).collect()
}

/// What somebody wants of an object; not what the server says of it.
fn essence(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(all) = object.as_object_mut() {
        all.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for key in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] {
            metadata.remove(key);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_tells_what_is_out_of_sync() {
        let application = json!({ "status": { "resources": [
            { "kind": "Service", "namespace": "a", "name": "b", "status": "OutOfSync" },
            { "kind": "ClusterRole", "name": "c", "status": "OutOfSync", "requiresPruning": true },
            { "kind": "Secret", "namespace": "a", "name": "d", "status": "Synced" },
        ]}});
        assert_eq!(differing(&application), ["ClusterRole c", "Service a/b"].map(str::to_owned).into());
        assert!(differing(&json!({})).is_empty());
    }

    #[test]
    fn what_the_server_writes_is_no_change() {
        let object = |version: &str, replicas: u8| {
            let metadata = json!({ "name": "a", "uid": version, "resourceVersion": version });
            json!({ "metadata": metadata, "spec": { "replicas": replicas }, "status": { "replicas": version } })
        };
        assert_eq!(essence(&object("1", 1)), essence(&object("2", 1)));
        assert_ne!(essence(&object("1", 1)), essence(&object("1", 2)));
    }
}
