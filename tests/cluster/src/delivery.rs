//! Argo CD: its processes, the git repository that it reads, and what it says of an Application.

use crate::assets::program;
use crate::control_plane::ControlPlane;
use crate::failure::{Context, Failure, Result};
use crate::http::Http;
use crate::kubectl::Kubectl;
use crate::prerequisites;
use crate::process::{Process, free_port, tail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};
use vigil_render::Object;

/// What a sync may take, with its waits for other programs.
pub(crate) const SYNC: Duration = Duration::from_secs(300);

/// What a comparison may take.
pub(crate) const COMPARISON: Duration = Duration::from_secs(90);

/// For how long nothing may happen.
pub(crate) const QUIET: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(300);

/// Where a stack says that it lives in git; this machine's repository takes its place.
pub(crate) const ADDRESS: &str = "https://git.example.com/platform/monitoring.git";

/// What is done to the first object of a kind by hand. Each value is one that git holds as well: of what it does not
/// hold, Argo CD says nothing.
const BY_HAND: [(&str, &str); 5] = [
    ("CustomResourceDefinition", r#"{"spec":{"names":{"shortNames":["changed"]}}}"#),
    ("ClusterRole", r#"{"rules":[]}"#),
    ("Deployment", r#"{"spec":{"replicas":3}}"#),
    ("ServiceMonitor", r#"{"spec":{"endpoints":[]}}"#),
    ("NetworkPolicy", r#"{"spec":{"policyTypes":["Egress"]}}"#),
];

/// Objects of a cluster by their titles.
pub(crate) type Live = BTreeMap<String, Value>;

/// The processes of Argo CD.
pub(crate) struct Argo {
    controller: Option<Process>,
    applications: Option<Process>,
    // Who asks goes first.
    repositories: Process,
    _redis: Process,
    namespace: String,
    redis: String,
    server: String,
}

impl Argo {
    /// Starts it, with its definitions and settings.
    pub(crate) fn start(plane: &ControlPlane, namespace: &str) -> Result<Self> {
        settle(plane, namespace)?;
        let binary = program("argocd", "argocd")?;
        let (redis, server) = (free_port()?, free_port()?);
        let redis = format!("127.0.0.1:{redis}");
        let memory = Process::start("redis", &binary, ["redis", "--address", &redis], &[], plane.directory())?;
        let repositories = repository_server(plane, namespace, &redis, server)?;
        let (namespace, server) = (namespace.to_owned(), format!("127.0.0.1:{server}"));
        let mut argo =
            Self { controller: None, applications: None, repositories, _redis: memory, namespace, redis, server };
        argo.control(plane, false)?;
        Ok(argo)
    }

    /// Starts the controller, in place of the one that runs.
    pub(crate) fn control(&mut self, plane: &ControlPlane, compares_server_side: bool) -> Result<()> {
        drop(self.controller.take());
        let port = free_port()?;
        let words = [
            "argocd-application-controller".to_owned(),
            format!("--namespace={}", self.namespace),
            format!("--redis={}", self.redis),
            format!("--repo-server={}", self.server),
            "--repo-server-plaintext".to_owned(),
            // Says in the Application which object is not healthy.
            "--persist-resource-health".to_owned(),
            format!("--metrics-port={port}"),
            format!("--server-side-diff-enabled={compares_server_side}"),
        ];
        self.controller = Some(controller("argocd-controller", plane, words, port, "/healthz")?);
        Ok(())
    }

    /// Starts the controller that makes Applications of an ApplicationSet.
    pub(crate) fn make_applications(&mut self, plane: &ControlPlane) -> Result<()> {
        let (metrics, probes, calls) = (free_port()?, free_port()?, free_port()?);
        let words = [
            "argocd-applicationset-controller".to_owned(),
            format!("--namespace={}", self.namespace),
            format!("--argocd-repo-server={}", self.server),
            "--repo-server-plaintext".to_owned(),
            format!("--metrics-addr=127.0.0.1:{metrics}"),
            format!("--probe-addr=127.0.0.1:{probes}"),
            format!("--webhook-addr=127.0.0.1:{calls}"),
        ];
        self.applications = Some(controller("argocd-applicationset-controller", plane, words, metrics, "/metrics")?);
        Ok(())
    }

    /// How often the repository server has made the manifests of an Application.
    pub(crate) fn generations(&self, application: &str) -> usize {
        let of = format!("\"application\":\"{application}\"");
        self.repositories
            .log()
            .lines()
            .filter(|line| line.contains("manifest cache miss") && line.contains(&of))
            .count()
    }

    /// The last that its controllers have said.
    pub(crate) fn last_words(&self) -> String {
        let logs = [&self.controller, &self.applications].into_iter().flatten().map(|process| tail(&process.log(), 5));
        logs.collect::<Vec<_>>().join("\n")
    }
}

/// Starts one of its controllers, and waits until it answers.
fn controller(
    name: &str,
    plane: &ControlPlane,
    words: impl IntoIterator<Item = String>,
    port: u16,
    path: &str,
) -> Result<Process> {
    let mut environment = plane.kubectl.environment().to_vec();
    environment.push(("ARGOCD_FAKE_IN_CLUSTER", OsStr::new("true")));
    environment.push(unsigned());
    let mut process = Process::start(name, &program("argocd", "argocd")?, words, &environment, plane.directory())?;
    let http = Http::at(port);
    process.wait_until(COMPARISON, || http.is_ok(path))?;
    Ok(process)
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
pub(crate) struct Repository {
    directory: PathBuf,
}

impl Repository {
    pub(crate) fn new(plane: &ControlPlane, branch: &str) -> Result<Self> {
        let new = Self { directory: plane.directory().join("monitoring.git") };
        let branch = format!("--initial-branch={branch}");
        git(&["init".as_ref(), "--quiet".as_ref(), "--bare".as_ref(), branch.as_ref(), new.directory.as_os_str()])?;
        Ok(new)
    }

    /// Applies the files of a folder that tell Argo CD what to bring, with the address of this repository.
    pub(crate) fn deliver(&self, kubectl: &Kubectl, from: &Path) -> Result<()> {
        let place = self.directory.with_file_name("delivery");
        fs::create_dir_all(&place).context(place.display())?;
        for entry in fs::read_dir(from).context(from.display())?.flatten() {
            let text = fs::read_to_string(entry.path()).context(entry.path().display())?;
            let text = text.replace(ADDRESS, &format!("file://{}", self.directory.display()));
            fs::write(place.join(entry.file_name()), text).context(place.display())?;
        }
        let place = place.display().to_string();
        kubectl.run(&["apply", "-f", &place])?.ok(&format!("kubectl apply -f {}", from.display())).map(drop)
    }

    /// Commits what is in a folder; gives the revision.
    pub(crate) fn commit(&self, folder: &Path, message: &str) -> Result<String> {
        let place = format!("--git-dir={}", self.directory.display());
        let tree = format!("--work-tree={}", folder.display());
        let run = |words: &[&str]| {
            let words = [&[place.as_str(), tree.as_str()], words].concat();
            git(&words.into_iter().map(OsStr::new).collect::<Vec<_>>())
        };
        run(&["add", "--all"])?;
        run(&["-c", "user.name=proof", "-c", "user.email=proof@example.com", "commit", "--quiet", "-m", message])?;
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

/// An Application in the cluster that Argo CD runs in.
pub(crate) struct Application<'a> {
    plane: &'a ControlPlane,
    path: String,
}

impl<'a> Application<'a> {
    pub(crate) fn new(plane: &'a ControlPlane, namespace: &str, name: &str) -> Self {
        Self { plane, path: format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications/{name}") }
    }

    pub(crate) fn get(&self) -> Result<Value> {
        self.plane.api.get(&self.path)?.ok("the Application")
    }

    pub(crate) fn is_there(&self) -> bool {
        self.plane.api.is_ok(&self.path)
    }

    pub(crate) fn change(&self, change: &Value) -> Result<()> {
        let merge = "application/merge-patch+json";
        self.plane.api.send("PATCH", &self.path, merge, &change.to_string())?.ok("the Application").map(drop)
    }

    /// Lets the clusters live until it is as it should be, or the time is over.
    pub(crate) fn until(
        &self,
        limit: Duration,
        mut turn: impl FnMut() -> Result<()>,
        yes: impl Fn(&Value) -> bool,
    ) -> Result<bool> {
        let start = Instant::now();
        loop {
            turn()?;
            if yes(&self.get()?) {
                return Ok(true);
            }
            if start.elapsed() > limit {
                return Ok(false);
            }
            sleep(PAUSE);
        }
    }

    /// Waits until a revision is applied, and everything is as it says.
    pub(crate) fn synced_to(&self, revision: &str, mut turn: impl FnMut() -> Result<()>) -> Result<bool> {
        let done = self.until(SYNC, &mut turn, |application| {
            let operation = &application["status"]["operationState"];
            operation["syncResult"]["revision"] == revision && operation["phase"] == "Succeeded"
        })?;
        let compared = |application: &Value| application["status"]["sync"]["status"] == "Synced";
        Ok(done && self.until(COMPARISON, turn, compared)?)
    }

    /// Why its sync has come to no good end.
    pub(crate) fn trouble(&self) -> Result<String> {
        let application = self.get()?;
        let operation = &application["status"]["operationState"];
        let results = operation["syncResult"]["resources"].as_array().into_iter().flatten();
        let bad = |result: &&Value| result["status"] != "Synced" || result["hookPhase"] != "Succeeded";
        let bad: Vec<_> = results.filter(bad).map(Value::to_string).take(10).collect();
        Ok(format!(
            "not synced after {} s: {} {}; {}; conditions {}",
            SYNC.as_secs(),
            operation["phase"],
            operation["message"],
            bad.join("; "),
            application["status"]["conditions"],
        ))
    }

    /// Has it compared anew; waits for that.
    pub(crate) fn refresh(&self, how: &str, turn: impl FnMut() -> Result<()>) -> Result<()> {
        const REFRESH: &str = "argocd.argoproj.io/refresh";
        self.change(&json!({ "metadata": { "annotations": { REFRESH: how } } }))?;
        let is_done = |application: &Value| application["metadata"]["annotations"].get(REFRESH).is_none();
        if self.until(COMPARISON, turn, is_done)? {
            Ok(())
        } else {
            Err(Failure::new(format!("{}: no comparison", self.path)))
        }
    }
}

/// What an Application warns of.
pub(crate) fn conditions(application: &Value) -> Vec<String> {
    let conditions = application["status"]["conditions"].as_array().into_iter().flatten();
    let told = conditions.map(|condition| {
        let text = |key: &str| condition[key].as_str().unwrap_or_default();
        format!("{}: {}", text("type"), text("message"))
    });
    told.collect()
}

/// When its last sync began.
pub(crate) fn started(application: &Value) -> Value {
    application["status"]["operationState"]["startedAt"].clone()
}

/// The objects of a kustomization that are there.
pub(crate) fn live(kubectl: &Kubectl, folder: &Path) -> Result<Live> {
    let folder = folder.display().to_string();
    let text = kubectl.run(&["get", "--ignore-not-found", "-o", "json", "-k", &folder])?;
    let mut list: Value = serde_json::from_str(&text.ok("kubectl get -k")?).context("kubectl get -k")?;
    let items = list["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let named = items.into_iter().map(|object| {
        let mut of = object["metadata"].clone();
        of["kind"] = object["kind"].clone();
        (title(&of), object)
    });
    Ok(named.collect())
}

/// The objects that are other ones than they were, or gone. What somebody says of their status does not count.
pub(crate) fn changed<'a>(before: &'a Live, after: &Live) -> Vec<&'a String> {
    let same = |title: &String, object: &Value| after.get(title).map(essence) == Some(essence(object));
    before.iter().filter(|(title, object)| !same(title, object)).map(|(title, _)| title).collect()
}

/// The objects that were written between two looks, or are gone.
pub(crate) fn written<'a>(before: &'a Live, after: &Live) -> Vec<&'a String> {
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let same = |title: &String, object: &Value| after.get(title).map(version) == Some(version(object));
    before.iter().filter(|(title, object)| !same(title, object)).map(|(title, _)| title).collect()
}

/// Changes objects of many kinds by hand, and deletes a component's ServiceAccount; gives the titles of all.
pub(crate) fn meddle(kubectl: &Kubectl, objects: &[Object], component: &str) -> Result<BTreeSet<String>> {
    let mut touched = BTreeSet::new();
    let first = |kind: &str| objects.iter().find(|object| object.kind() == kind);
    let config = first("ConfigMap");
    let key = config.and_then(|object| object.value.pointer("/data")?.as_object()?.keys().next());
    let data = key.map(|key| json!({ "data": { key: "changed" } }).to_string());
    let patches = BY_HAND.iter().map(|(kind, patch)| (first(kind), *patch));
    let patches = patches.chain(data.iter().map(|patch| (config, patch.as_str())));
    for (object, patch) in patches.filter_map(|(object, patch)| Some((object?, patch))) {
        at(kubectl, object, &["patch", "--type", "merge", "--patch", patch])?;
        touched.insert(object.title());
    }
    let is_account = |object: &&Object| object.component == component && object.kind() == "ServiceAccount";
    let account = objects.iter().find(is_account);
    let account = account.ok_or_else(|| Failure::new(format!("no ServiceAccount of {component}")))?;
    at(kubectl, account, &["delete"])?;
    touched.insert(account.title());
    Ok(touched)
}

/// Does something to an object with kubectl.
fn at(kubectl: &Kubectl, object: &Object, words: &[&str]) -> Result<()> {
    let (verb, rest) = words.split_first().unwrap_or((&"get", &[]));
    let mut all = vec![*verb, object.kind(), object.name()];
    if !object.namespace().is_empty() {
        all.extend(["--namespace", object.namespace()]);
    }
    all.extend(rest);
    kubectl.run(&all)?.ok(&object.title()).map(drop)
}

/// Of what was touched by hand what is not as it was.
pub(crate) fn unhealed(touched: &BTreeSet<String>, before: &Live, after: &Live) -> Vec<String> {
    let changed = changed(before, after);
    touched.iter().filter(|title| changed.contains(title)).cloned().collect()
}

/// `Kind namespace/name` of what has these three as keys.
pub(crate) fn title(resource: &Value) -> String {
    let text = |key: &str| resource[key].as_str().unwrap_or_default();
    match text("namespace") {
        "" => format!("{} {}", text("kind"), text("name")),
        namespace => format!("{} {namespace}/{}", text("kind"), text("name")),
    }
}

/// What an Application says is out of sync.
pub(crate) fn differing(application: &Value) -> BTreeSet<String> {
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
