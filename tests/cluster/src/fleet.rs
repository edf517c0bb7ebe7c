//! Argo CD brings a fleet: each ring when its turn comes, and a cluster that is taken off the list loses nothing.

use crate::assets::{self, Release};
use crate::control_plane::ControlPlane;
use crate::delivery::{
    Application, Argo, COMPARISON, Live, QUIET, Repository, changed, conditions, live, meddle, started, unhealed,
};
use crate::failure::{Context, Failure, Result};
use crate::prerequisites::{self, create};
use crate::process::wait_for;
use crate::proof::Proof;
use crate::stacks::{self, Rendered, root};
use crate::surroundings::Surroundings;
use crate::workplace;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const METHOD: &str = "\
The stack files and rings of `examples/fleet`, with two clusters: `fra-01` in the ring canary and `fra-02` in the ring early, two
control planes, each with the Kubernetes and the address that a stack file of its own says. Argo CD runs beside `fra-01`: application
controller, ApplicationSet controller and repository server as processes. Each cluster is registered there by its Secret, with the
token of a ServiceAccount, as `argocd cluster add` does it. `vigil fleet render` and `vigil fleet promote` are the program; what they
write is committed to a git repository on this machine, whose address takes the place of the stack's in `fleet/argocd`, and
`kubectl apply -f fleet/argocd` brings the ApplicationSet. Who else acts in a cluster is played, as for the proof of a single stack.
After every step the objects of both clusters are compared with those before: a cluster whose turn it is not must not change, and
nothing may be synced there. For an edit of another ring its manifests are not even made anew. They are when rings become alike, as
files then move to where both find them, and come out as they were. Clusters act by themselves: nobody asks for a sync.";

/// The clusters, each with its ring.
const CLUSTERS: [[&str; 2]; 2] = [["fra-01", "canary"], ["fra-02", "early"]];

const COLUMNS: [&str; 3] = ["step", "`fra-01`, ring canary", "`fra-02`, ring early"];

/// The image that canary tries, and the one that it tries next.
const IMAGES: [&str; 2] = ["quay.io/prometheus/prometheus:v3.9.0", "quay.io/prometheus/prometheus:v3.9.1"];

pub(crate) fn prove(releases: &[Release]) -> Result<Proof> {
    let version = assets::version("argocd")?;
    let mut proof = Proof::new("Argo CD brings a fleet", &format!("Argo CD {version}. {METHOD}"), &COLUMNS);
    let [early, .., canary] = releases else {
        proof.skip("there is one release of Kubernetes, and the fleet is of two; see tools/cluster/build");
        return Ok(proof);
    };
    if let Some(release) = [canary, early].into_iter().find(|release| release.controller_manager.is_none()) {
        proof.skip(format!("Kubernetes {}: the assets hold no kube-controller-manager", release.version));
        return Ok(proof);
    }
    let planes = [ControlPlane::start(canary)?, ControlPlane::start(early)?];
    let files = Files::new(&planes, [canary, early])?;
    files.vigil(&["fleet", "render"], 0)?;
    let stacks = files.stacks()?;
    for (plane, stack) in planes.iter().zip(&stacks) {
        prerequisites::bring(plane, stack)?;
    }
    let argocd = &stacks[0].stack.argocd;
    let namespace = argocd.namespace.as_str();
    let mut argo = Argo::start(&planes[0], namespace)?;
    for ([name, _], plane) in CLUSTERS.iter().zip(&planes) {
        register(&planes[0], namespace, name, plane)?;
    }
    argo.make_applications(&planes[0])?;
    let repository = Repository::new(&planes[0], argocd.revision.as_str())?;
    let clusters = [0, 1].map(|at| {
        let name = format!("{}-{}", argocd.project.as_str(), CLUSTERS[at][0]);
        let application = Application::new(&planes[0], namespace, &name);
        let surroundings = RefCell::new(Surroundings::of(&planes[at], &stacks[at]));
        Cluster { plane: &planes[at], stack: &stacks[at], name, application, surroundings }
    });
    let versions = [canary, early].map(|release| format!("Kubernetes {}", release.version));
    let mut trial = Trial { proof, files, argo, repository, clusters };
    trial.row("", versions);
    trial.carry_out()?;
    Ok(trial.proof)
}

/// `clusters.yaml`, the stack files, and what they are rendered to.
struct Files(tempfile::TempDir);

impl Files {
    /// The example's, with two clusters.
    fn new(planes: &[ControlPlane; 2], releases: [&Release; 2]) -> Result<Self> {
        let files = Self(workplace::folder("fleet-")?);
        workplace::copy(&root().join("examples/fleet"), files.path())?;
        files.edit("clusters.yaml", |text| {
            let (head, _) = text.split_once("clusters:\n").unwrap_or((text, ""));
            let lines = CLUSTERS.map(|[name, ring]| {
                format!("  {name}: {{ ring: {ring}, region: eu, layers: [clusters/{name}.yaml] }}\n")
            });
            format!("{head}clusters:\n{}", lines.concat())
        })?;
        for ([name, _], (plane, release)) in CLUSTERS.iter().zip(planes.iter().zip(releases)) {
            let (minor, server) = (release.minor(), plane.server());
            let text = format!("kubernetes: \"{minor}\"\nargocd:\n  destination: {{ server: \"{server}\" }}\n");
            let path = files.path().join("clusters").join(name).with_extension("yaml");
            fs::write(&path, text).context(path.display())?;
        }
        Ok(files)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// The folder that is applied to a cluster.
    fn of(&self, cluster: &str) -> PathBuf {
        self.path().join("fleet/clusters").join(cluster)
    }

    fn edit(&self, name: &str, change: impl FnOnce(&str) -> String) -> Result<()> {
        let path = self.path().join(name);
        let text = fs::read_to_string(&path).context(path.display())?;
        let changed = change(&text);
        if changed == text {
            return Err(Failure::new(format!("examples/fleet/{name} is not what this proof changes")));
        }
        fs::write(&path, changed).context(path.display())
    }

    /// Runs vigil here, which must end with this status.
    fn vigil(&self, words: &[&str], status: i32) -> Result<String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["run", "--quiet", "--package", "vigil", "--bin", "vigil", "--manifest-path"]);
        command.arg(root().join("Cargo.toml")).arg("--").args(words);
        command.current_dir(self.path()).env("XDG_CACHE_HOME", self.path().with_extension("cache"));
        let output = command.output().context("cargo run")?;
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        if output.status.code() == Some(status) {
            return Ok(said);
        }
        Err(Failure::new(format!("vigil {} ({}, and not {status}):\n{said}", words.join(" "), output.status)))
    }

    fn stacks(&self) -> Result<Vec<Rendered>> {
        let path = self.path().join("clusters.yaml");
        CLUSTERS.iter().map(|[name, _]| stacks::of_fleet(&path, name)).collect()
    }
}

/// Tells Argo CD of a cluster, with an account there that may do everything.
fn register(argo: &ControlPlane, namespace: &str, name: &str, cluster: &ControlPlane) -> Result<()> {
    const ACCOUNT: &str = "argocd-manager";
    let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": ACCOUNT } });
    create(cluster, "/api/v1/namespaces/kube-system/serviceaccounts", &account)?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": { "name": ACCOUNT },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": ACCOUNT, "namespace": "kube-system" }],
    });
    create(cluster, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding)?;
    let kubectl = cluster.kubectl.with(cluster.kubeconfig_of("kube-system", ACCOUNT)?);
    let config =
        kubectl.run(&["config", "view", "--flatten", "--raw", "--output", "json"])?.ok("kubectl config view")?;
    let config: Value = serde_json::from_str(&config).context("kubectl config view")?;
    let [token, authority] =
        ["/users/0/user/token", "/clusters/0/cluster/certificate-authority-data"].map(|at| config.pointer(at));
    let config = json!({ "bearerToken": token, "tlsClientConfig": { "caData": authority } }).to_string();
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": name, "labels": { "argocd.argoproj.io/secret-type": "cluster" } },
        "stringData": { "name": name, "server": cluster.server(), "config": config },
    });
    create(argo, &format!("/api/v1/namespaces/{namespace}/secrets"), &secret)
}

/// A cluster of the fleet.
struct Cluster<'a> {
    plane: &'a ControlPlane,
    stack: &'a Rendered,
    /// What its Application is called.
    name: String,
    application: Application<'a>,
    surroundings: RefCell<Surroundings<'a>>,
}

/// What a cluster and its Application were.
struct Seen {
    objects: Live,
    sync: Value,
    generations: usize,
}

struct Trial<'a> {
    proof: Proof,
    files: Files,
    argo: Argo,
    repository: Repository,
    clusters: [Cluster<'a>; 2],
}

impl Trial<'_> {
    fn carry_out(&mut self) -> Result<()> {
        self.both_are_brought()?;
        self.canary_moves()?;
        self.early_is_promoted()?;
        self.by_hand()?;
        self.one_is_taken_off_the_list()
    }

    fn row(&mut self, step: &str, cells: [String; 2]) {
        let [canary, early] = cells;
        self.proof.row([step.to_owned(), canary, early]);
    }

    /// Both clusters live.
    fn turn(&self) -> Result<()> {
        self.clusters.iter().try_for_each(|cluster| cluster.surroundings.borrow_mut().turn())
    }

    fn until(&self, at: usize, limit: std::time::Duration, yes: impl Fn(&Value) -> bool) -> Result<bool> {
        self.clusters[at].application.until(limit, || self.turn(), yes)
    }

    fn commit(&self, message: &str) -> Result<String> {
        self.files.vigil(&["fleet", "render"], 0)?;
        self.repository.commit(self.files.path(), message)
    }

    /// What is there of a folder of objects that was rendered once: it may be gone from the fleet's.
    fn live(&self, at: usize) -> Result<Live> {
        let cluster = &self.clusters[at];
        live(&cluster.plane.kubectl, &cluster.stack.manifests())
    }

    fn seen(&self, at: usize) -> Result<Seen> {
        let cluster = &self.clusters[at];
        let sync = started(&cluster.application.get()?);
        Ok(Seen { objects: self.live(at)?, sync, generations: self.argo.generations(&cluster.name) })
    }

    /// The image of a cluster's Prometheus.
    fn image(&self, at: usize) -> Result<String> {
        let object = self.clusters[at].stack.object("prometheus", "Prometheus")?;
        let namespace = object.namespace();
        let path = format!("/apis/monitoring.coreos.com/v1/namespaces/{namespace}/prometheuses/{}", object.name());
        let there = self.clusters[at].plane.api.get(&path)?.ok(&path)?;
        Ok(there["spec"]["image"].as_str().unwrap_or_default().to_owned())
    }

    fn both_are_brought(&mut self) -> Result<()> {
        let start = Instant::now();
        let revision = self.commit("the fleet")?;
        self.deliver()?;
        let mut cells = [String::new(), String::new()];
        for (at, cell) in cells.iter_mut().enumerate() {
            let application = &self.clusters[at].application;
            if !wait_for(COMPARISON, || application.is_there()) {
                return Err(Failure::new(format!("no Application of {}: {}", CLUSTERS[at][0], self.argo.last_words())));
            }
            if !application.synced_to(&revision, || self.turn())? {
                let (trouble, log) = (application.trouble()?, self.argo.last_words());
                return Err(Failure::new(format!("{}: {trouble}\n{log}", CLUSTERS[at][0])));
            }
            let made = self.argo.generations(&self.clusters[at].name);
            self.proof.expect(made > 0, || format!("{}: its manifests were never made", CLUSTERS[at][0]));
            let (there, wanted) = (self.live(at)?.len(), self.clusters[at].stack.objects.len());
            self.proof.expect(there == wanted, || format!("{}: {there} of {wanted} objects", CLUSTERS[at][0]));
            *cell = format!("{there} objects, Synced after {:.0} s", start.elapsed().as_secs_f64());
        }
        self.row("`kubectl apply -f fleet/argocd`", cells);
        Ok(())
    }

    /// Applies what tells Argo CD of the fleet.
    fn deliver(&self) -> Result<()> {
        self.repository.deliver(&self.clusters[0].plane.kubectl, &self.files.path().join("fleet/argocd"))
    }

    /// The ring `moving` gets what was committed, and the other one is left alone.
    fn moves(&mut self, step: &str, moving: usize, revision: &str) -> Result<()> {
        let waiting = 1 - moving;
        let before = self.seen(waiting)?;
        let start = Instant::now();
        for cluster in &self.clusters {
            cluster.application.refresh("normal", || self.turn())?;
        }
        let [name, ring] = CLUSTERS[moving];
        let application = &self.clusters[moving].application;
        if !application.synced_to(revision, || self.turn())? {
            let trouble = application.trouble()?;
            self.proof.finding(format!("{name}: {step}: {trouble}"));
        }
        let image = self.image(moving)?;
        self.proof.expect(image == IMAGES[1], || format!("{name}: {step}: ring {ring} runs {image}"));
        let took = start.elapsed().as_secs_f64();
        let mut cells = [String::new(), String::new()];
        cells[moving] = format!("runs {} after {took:.0} s", tag(&image));
        self.until(waiting, QUIET, |_| false)?;
        cells[waiting] = format!("{}; runs {}", self.untouched(step, waiting, &before)?, tag(&self.image(waiting)?));
        self.row(step, cells);
        Ok(())
    }

    /// Nothing of a cluster has changed, and nothing was synced; says so.
    fn untouched(&mut self, step: &str, at: usize, before: &Seen) -> Result<String> {
        let (name, after) = (CLUSTERS[at][0], self.seen(at)?);
        let changed = changed(&before.objects, &after.objects);
        self.proof.expect(changed.is_empty(), || format!("{name}: {step}: changed: {changed:?}"));
        self.proof.expect(before.sync == after.sync, || format!("{name}: {step}: a sync at {}", after.sync));
        let made = after.generations - before.generations;
        Ok(format!("{} of {} objects changed, manifests made {made} times", changed.len(), before.objects.len()))
    }

    fn canary_moves(&mut self) -> Result<()> {
        self.files.edit("rings/canary.yaml", |text| text.replace(IMAGES[0], IMAGES[1]))?;
        let revision = self.commit("canary tries another version")?;
        let before = self.argo.generations(&self.clusters[1].name);
        self.moves("canary's stack file is edited", 0, &revision)?;
        let made = self.argo.generations(&self.clusters[1].name) - before;
        self.proof
            .expect(made == 0, || format!("fra-02: its manifests were made anew, {made} times, for another ring"));
        Ok(())
    }

    fn early_is_promoted(&mut self) -> Result<()> {
        let step = "`vigil fleet promote canary early`";
        let before = self.image(1)?;
        self.files.vigil(&["fleet", "promote", "canary", "early"], 2)?;
        self.row(
            step,
            [String::new(), format!("refused: nobody says how long canary has run it; runs {}", tag(&before))],
        );
        self.files.vigil(&["fleet", "promote", "canary", "early", "--soaked", "24h"], 0)?;
        let revision = self.commit("early as canary")?;
        self.moves(&format!("{step} with `--soaked 24h`"), 1, &revision)
    }

    /// Objects of many kinds that somebody changed or deleted are put right.
    fn by_hand(&mut self) -> Result<()> {
        let mut cells = [String::new(), String::new()];
        for (at, cell) in cells.iter_mut().enumerate() {
            let (before, cluster) = (self.live(at)?, &self.clusters[at]);
            let touched = meddle(&cluster.plane.kubectl, &cluster.stack.objects, "kube-state-metrics")?;
            let start = Instant::now();
            let mut wrong = unhealed(&touched, &before, &self.live(at)?);
            while !wrong.is_empty() && start.elapsed() < COMPARISON {
                self.turn()?;
                wrong = unhealed(&touched, &before, &self.live(at)?);
            }
            for title in &wrong {
                self.proof.finding(format!("{}: {title}, changed by hand, is not as before", CLUSTERS[at][0]));
            }
            *cell = format!("{} changed, {} as before", touched.len(), touched.len() - wrong.len());
        }
        self.row("objects are changed and deleted by hand", cells);
        Ok(())
    }

    /// It keeps what it has, first with its Application, then without.
    fn one_is_taken_off_the_list(&mut self) -> Result<()> {
        let [name, _] = CLUSTERS[1];
        for at in [0, 1] {
            self.until(at, COMPARISON, |application| application["status"]["sync"]["status"] == "Synced")?;
        }
        let (stays, before) = (self.seen(0)?, self.seen(1)?);
        let line = format!("  {name}:");
        self.files
            .edit("clusters.yaml", |text| text.split_inclusive('\n').filter(|it| !it.starts_with(&line)).collect())?;
        self.commit("one cluster less")?;
        let step = format!("`{name}` is taken out of `clusters.yaml`, and `kubectl apply -f fleet/argocd`");
        let gone = !self.files.of(name).exists();
        self.proof.expect(gone, || format!("{name}: its folder is still there"));
        self.deliver()?;
        self.clusters[1].application.refresh("normal", || self.turn())?;
        self.until(1, QUIET, |_| false)?;
        let told = conditions(&self.clusters[1].application.get()?);
        self.proof.expect(!told.is_empty(), || format!("{name}: {step}: its Application says nothing"));
        let here = self.untouched(&step, 0, &stays)?;
        // The port is another one in each run.
        let told = told.join("`, `").replace(self.clusters[1].plane.server(), "https://fra-02");
        let there = format!("its Application stays, and says `{told}`; {}", self.kept(&step, &before)?);
        self.row(&step, [here, there]);

        let step = format!("`kubectl delete application {}`", self.clusters[1].name);
        let words = [
            "delete",
            "application",
            &self.clusters[1].name,
            "--namespace",
            self.clusters[1].stack.stack.argocd.namespace.as_str(),
        ];
        self.clusters[0].plane.kubectl.run(&words)?.ok(&step)?;
        let start = Instant::now();
        while start.elapsed() < QUIET {
            self.turn()?;
        }
        let is_there = self.clusters[1].application.is_there();
        self.proof.expect(!is_there, || format!("{name}: {step}: the Application is still there"));
        let (here, there) = (self.untouched(&step, 0, &stays)?, self.kept(&step, &before)?);
        self.row(&step, [here, there]);
        Ok(())
    }

    /// The cluster that is no longer on the list has its objects as they were; says so.
    fn kept(&mut self, step: &str, before: &Seen) -> Result<String> {
        let after = self.live(1)?;
        let changed = changed(&before.objects, &after);
        self.proof.expect(changed.is_empty(), || format!("{}: {step}: changed or gone: {changed:?}", CLUSTERS[1][0]));
        Ok(format!("{} of {} objects are there, {} changed", after.len(), before.objects.len(), changed.len()))
    }
}

/// What stands behind the name of an image.
fn tag(image: &str) -> &str {
    image.rsplit_once(':').map_or(image, |(_, tag)| tag)
}
