//! A small cluster, minute by minute: nodes, workloads and their pods, and what controllers, scheduler and kubelets make of
//! what happens to them. As much of Kubernetes as the rules can tell apart.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one thing, by the names that exporters' texts use.
pub type Facts = BTreeMap<&'static str, String>;

/// What a fact is when there is none: series that need it are not there.
pub const NONE: &str = "-";

/// The clusters that scenarios begin with.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One node of the control plane, which runs no other pods, and two that do.
    Kubeadm,
    /// Two nodes, and a control plane that nobody sees but for the API server.
    Managed,
    /// One node for everything.
    Single,
}

/// What happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// No new pods come to a node.
    Cordon(String),
    /// They come again.
    Uncordon(String),
    /// Cordons, and evicts all pods but those of DaemonSets.
    Drain(String),
    /// With effect `NoSchedule`.
    Taint {
        /// The node.
        node: String,
        /// The key of the taint.
        key: String,
    },
    /// A node without power.
    PowerOff(String),
    /// Boots it.
    PowerOn(String),
    /// To another version of Kubernetes.
    Upgrade {
        /// The node.
        node: String,
        /// What its kubelet says afterwards.
        version: String,
    },
    /// A new node.
    AddNode(String),
    /// A node leaves, and its pods with it.
    DeleteNode(String),
    /// Another number of pods.
    Scale {
        /// Of what.
        workload: String,
        /// How many.
        replicas: usize,
    },
    /// A new revision; `waits` is why its containers do not start.
    RollOut {
        /// Of what.
        workload: String,
        /// Why.
        waits: Option<String>,
    },
    /// All containers end soon after each start.
    CrashLoop(String),
    /// All pods run and fail their readiness probe.
    FailReadiness(String),
    /// Ends `CrashLoop` and `FailReadiness`.
    Recover(String),
    /// Deletes its pods, so that new ones come.
    Restart(String),
    /// What exporters say instead of what they would: values by selector, until `Unset`.
    Set(BTreeMap<String, String>),
    /// Ends `Set`.
    Unset(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
struct Node {
    name: String,
    ip: String,
    version: String,
    control_plane: bool,
    powered: bool,
    booted: i64,
    created: i64,
    /// For how many minutes nothing has been heard of it: at most until its pods are evicted.
    silent: u8,
    cordoned: bool,
    taints: Vec<String>,
}

impl Node {
    fn is_ready(&self) -> bool {
        self.silent <= 1
    }

    fn takes_pods(&self, single: bool) -> bool {
        self.is_ready() && !self.cordoned && (single || !self.control_plane) && self.taints.is_empty()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Workload {
    kind: String,
    namespace: String,
    name: String,
    #[serde(default)]
    replicas: usize,
    /// There is a Service of its name.
    #[serde(default)]
    service: bool,
    /// `minAvailable` of its PodDisruptionBudget.
    #[serde(default)]
    budget: Option<usize>,
    #[serde(default)]
    autoscaler: bool,
    /// Each pod has a claim.
    #[serde(default)]
    claim: bool,
    #[serde(skip)]
    revision: usize,
    /// Why containers of this revision do not start.
    #[serde(skip)]
    waits: Option<String>,
    #[serde(skip)]
    trouble: Option<Trouble>,
    /// For how many minutes it has been rolled out, while it is.
    #[serde(skip)]
    rolling: Option<u8>,
}

/// What is wrong with all containers of a workload.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    CrashLoop,
    Unready,
}

#[derive(Clone, Debug, PartialEq)]
struct Pod {
    /// Which of all pods that there ever were.
    serial: usize,
    name: String,
    workload: String,
    revision: usize,
    node: Option<String>,
    created: i64,
    running: bool,
    ready: bool,
    deleted: Option<i64>,
    waits: Option<String>,
    crashed: bool,
}

/// Its state. Equal states say the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    kind: Kind,
    nodes: Vec<Node>,
    workloads: Vec<Workload>,
    pods: Vec<Pod>,
    /// How many pods there ever were: each has a name and an address of its own.
    made: usize,
    hour: i64,
}

/// After so many minutes of silence the pods of a node are evicted.
const EVICTED: u8 = 7;

/// After so many minutes without an end, a rollout is stuck.
const STUCK: u8 = 11;

const MONTH: i64 = 30 * 24 * 60;

impl Cluster {
    /// A cluster in which everything has been well for a month. `objects` are its workloads.
    pub fn new(kind: Kind, objects: serde_json::Value) -> Cluster {
        let workloads = serde_json::from_value(objects).unwrap_or_else(|error| panic!("objects.yaml: {error}"));
        let mut cluster = Cluster { kind, nodes: Vec::new(), workloads, pods: Vec::new(), made: 0, hour: 0 };
        let nodes: &[&str] = match kind {
            Kind::Kubeadm => &["control-plane", "worker-1", "worker-2"],
            Kind::Managed => &["worker-1", "worker-2"],
            Kind::Single => &["control-plane"],
        };
        for node in nodes {
            cluster.add_node(node, -MONTH);
        }
        cluster.settle();
        cluster
    }

    /// A cluster of kubeadm with so many nodes and about so many pods, in which all has been well for a month: what runs in the
    /// small one, Deployments of 20 pods each, and an eighth of the pods in StatefulSets with volumes.
    pub fn large(nodes: usize, pods: usize) -> Cluster {
        let mut cluster = Cluster {
            kind: Kind::Kubeadm,
            nodes: Vec::new(),
            workloads: serde_json::from_value(crate::objects()).expect("objects.yaml"),
            pods: Vec::new(),
            made: 0,
            hour: 0,
        };
        cluster.add_node("control-plane", -MONTH);
        for number in 1..nodes {
            cluster.add_node(&format!("worker-{number}"), -MONTH);
        }
        let daemons = cluster.workloads.iter().filter(|workload| workload.kind == "DaemonSet").count();
        let more = pods.saturating_sub(daemons * nodes);
        for number in 0..more.div_ceil(20) {
            let stateful = number % 8 == 0;
            cluster.workloads.push(Workload {
                kind: if stateful { "StatefulSet" } else { "Deployment" }.to_owned(),
                namespace: format!("team-{}", number / 10),
                name: format!("app-{number}"),
                replicas: 20,
                service: true,
                claim: stateful,
                ..Workload::default()
            });
        }
        cluster.settle();
        cluster
    }

    /// Everything starts, and then a month passes.
    fn settle(&mut self) {
        for workload in &mut self.workloads {
            workload.revision = 1;
        }
        for minute in -20..0 {
            self.tick(minute);
        }
        for pod in &mut self.pods {
            pod.created = -MONTH;
        }
    }

    fn add_node(&mut self, name: &str, created: i64) {
        self.nodes.push(Node {
            name: name.to_owned(),
            ip: format!("192.0.{}.{}", 2 + self.nodes.len() / 200, 10 + self.nodes.len() % 200),
            version: "v1.33.4".to_owned(),
            control_plane: name == "control-plane",
            powered: true,
            booted: created,
            created,
            silent: 0,
            cordoned: false,
            taints: Vec::new(),
        });
    }

    fn node(&mut self, name: &str) -> &mut Node {
        let found = self.nodes.iter_mut().find(|node| node.name == name);
        found.unwrap_or_else(|| panic!("no node `{name}`"))
    }

    fn workload(&mut self, name: &str) -> &mut Workload {
        let found = self.workloads.iter_mut().find(|workload| workload.name == name);
        found.unwrap_or_else(|| panic!("no workload `{name}`"))
    }

    /// What exporters say is not for the cluster to know: those events are left to them.
    pub fn happens(&mut self, event: &Event, minute: i64) {
        match event {
            Event::Cordon(node) => self.node(node).cordoned = true,
            Event::Uncordon(node) => self.node(node).cordoned = false,
            Event::Drain(node) => {
                self.node(node).cordoned = true;
                self.delete_pods(minute, |pod| pod.node.as_ref() == Some(node));
            }
            Event::Taint { node, key } => self.node(node).taints.push(key.clone()),
            Event::PowerOff(node) => self.node(node).powered = false,
            Event::PowerOn(node) => {
                let node = self.node(node);
                (node.powered, node.booted) = (true, minute);
            }
            Event::Upgrade { node, version } => self.node(node).version.clone_from(version),
            Event::AddNode(node) => self.add_node(node, minute),
            Event::DeleteNode(node) => {
                self.nodes.retain(|known| known.name != *node);
                self.pods.retain(|pod| pod.node.as_ref() != Some(node));
            }
            Event::Scale { workload, replicas } => self.workload(workload).replicas = *replicas,
            Event::RollOut { workload, waits } => {
                let workload = self.workload(workload);
                workload.revision += 1;
                workload.waits.clone_from(waits);
                workload.rolling = Some(0);
            }
            Event::CrashLoop(workload) => self.workload(workload).trouble = Some(Trouble::CrashLoop),
            Event::FailReadiness(workload) => self.workload(workload).trouble = Some(Trouble::Unready),
            Event::Recover(workload) => self.workload(workload).trouble = None,
            Event::Restart(workload) => self.delete_pods(minute, |pod| pod.workload == *workload),
            Event::Set(_) | Event::Unset(_) => {}
        }
    }

    /// All that are not of a DaemonSet, and not deleted already.
    fn delete_pods(&mut self, minute: i64, which: impl Fn(&Pod) -> bool) {
        let daemons: Vec<_> =
            self.workloads.iter().filter(|workload| workload.kind == "DaemonSet").map(|it| it.name.clone()).collect();
        for pod in self.pods.iter_mut().filter(|pod| which(pod) && !daemons.contains(&pod.workload)) {
            pod.deleted.get_or_insert(minute);
        }
    }

    /// A minute passes.
    pub fn tick(&mut self, minute: i64) {
        self.hour = minute.div_euclid(60) * 60;
        // Without a control plane all stays as it was last known.
        if self.kind != Kind::Managed && !self.nodes.iter().any(|node| node.control_plane && node.powered) {
            return;
        }
        self.nodes_tick(minute);
        for index in 0..self.workloads.len() {
            match self.workloads[index].kind.as_str() {
                "DaemonSet" => self.daemon_set_tick(index, minute),
                _ => self.replicas_tick(index, minute),
            }
        }
        self.pods_tick(minute);
        self.rollouts_tick();
    }

    /// A kubelet that is silent for a minute makes its node unknown, and after five more its pods are evicted.
    fn nodes_tick(&mut self, minute: i64) {
        let mut lost = Vec::new();
        for node in &mut self.nodes {
            node.silent = if node.powered { 0 } else { EVICTED.min(node.silent + 1) };
            if node.silent == EVICTED {
                lost.push(node.name.clone());
            }
        }
        self.delete_pods(minute, |pod| pod.node.as_ref().is_some_and(|node| lost.contains(node)));
    }

    fn daemon_set_tick(&mut self, index: usize, minute: i64) {
        let name = self.workloads[index].name.clone();
        let own = self.pods.iter().filter(|pod| pod.workload == name);
        let there: BTreeSet<_> = own.filter_map(|pod| pod.node.clone()).collect();
        let nodes: Vec<_> = self.nodes.iter().map(|node| node.name.clone()).collect();
        for node in nodes.into_iter().filter(|node| !there.contains(node)) {
            self.make_pod(index, format!("{name}-p{:04}", self.made), Some(node), minute);
        }
        self.workloads[index].replicas = self.nodes.len();
    }

    /// One pod more than there shall be while a Deployment rolls out; a StatefulSet waits until the old pod is gone.
    fn replicas_tick(&mut self, index: usize, minute: i64) {
        let workload = self.workloads[index].clone();
        if workload.kind == "StatefulSet" {
            for number in 0..workload.replicas {
                let name = format!("{}-{number}", workload.name);
                if !self.pods.iter().any(|pod| pod.name == name) {
                    self.make_pod(index, name, None, minute);
                }
            }
            return;
        }
        let is_there = |pod: &&mut Pod| pod.workload == workload.name && pod.deleted.is_none();
        let is_new = |pod: &Pod| pod.revision == workload.revision;
        let all = self.pods.iter_mut().filter(is_there).count();
        let ready = self.pods.iter_mut().filter(is_there).filter(|pod| pod.ready).count();
        let new = self.pods.iter_mut().filter(is_there).filter(|pod| is_new(pod)).count();
        if all > workload.replicas && (ready > workload.replicas || new == all) {
            let mut spare: Vec<_> = self.pods.iter_mut().filter(is_there).collect();
            spare.sort_by_key(|pod| is_new(pod));
            let gone = if new == all { all - workload.replicas } else { 1 };
            spare.iter_mut().take(gone).for_each(|pod| pod.deleted = Some(minute));
        }
        let more = if new == all {
            workload.replicas.saturating_sub(all)
        } else {
            (workload.replicas + 1).saturating_sub(all)
        };
        for _ in 0..more.min(workload.replicas.saturating_sub(new)) {
            let name = format!("{}-{}-p{:04}", workload.name, replica_set(workload.revision), self.made);
            self.make_pod(index, name, None, minute);
        }
        if self.workloads[index].rolling.is_none() && new < all {
            self.workloads[index].rolling = Some(0);
        }
    }

    fn make_pod(&mut self, index: usize, name: String, node: Option<String>, minute: i64) {
        let workload = &self.workloads[index];
        self.pods.push(Pod {
            serial: self.made,
            name,
            workload: workload.name.clone(),
            revision: workload.revision,
            node,
            created: minute,
            running: false,
            ready: false,
            deleted: None,
            waits: workload.waits.clone(),
            crashed: false,
        });
        self.made += 1;
    }

    /// Pods are placed, start within a minute, and go away within a minute. Nothing of it happens on a node without power.
    fn pods_tick(&mut self, minute: i64) {
        self.place_pods();
        let powered: Vec<_> = self.nodes.iter().filter(|node| node.powered).map(|node| node.name.clone()).collect();
        let on = |pod: &Pod| pod.node.as_ref().is_some_and(|node| powered.contains(node));
        self.pods.retain(|pod| !(pod.deleted.is_some_and(|since| since < minute) && (pod.node.is_none() || on(pod))));
        for pod in &mut self.pods {
            let workload = self.workloads.iter().find(|workload| workload.name == pod.workload);
            let workload = workload.unwrap_or_else(|| panic!("`{}` has a workload", pod.name));
            let started = on(pod) && pod.waits.is_none() && pod.created < minute;
            pod.running |= started;
            pod.crashed |= workload.trouble == Some(Trouble::CrashLoop);
            pod.ready = started && pod.deleted.is_none() && workload.trouble.is_none();
        }
    }

    /// Each goes to the node that has the fewest.
    fn place_pods(&mut self) {
        let single = self.kind == Kind::Single;
        let takes = self.nodes.iter().filter(|node| node.takes_pods(single));
        let mut room: Vec<(&str, usize)> = takes.map(|node| (node.name.as_str(), 0)).collect();
        let places: BTreeMap<&str, usize> = room.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
        for pod in self.pods.iter().filter_map(|pod| places.get(pod.node.as_deref()?)) {
            room[*pod].1 += 1;
        }
        for pod in self.pods.iter_mut().filter(|pod| pod.node.is_none()) {
            let Some((node, pods)) = room.iter_mut().min_by_key(|(_, pods)| *pods) else { return };
            pod.node = Some((*node).to_owned());
            *pods += 1;
        }
    }

    /// A rollout is over when all pods are new and ready; without progress for ten minutes it is stuck.
    fn rollouts_tick(&mut self) {
        for workload in &mut self.workloads {
            let Some(since) = workload.rolling else { continue };
            let pods = self.pods.iter().filter(|pod| pod.workload == workload.name && pod.deleted.is_none());
            let (new, old): (Vec<_>, Vec<_>) = pods.partition(|pod| pod.revision == workload.revision);
            let over = old.is_empty() && new.iter().filter(|pod| pod.ready).count() >= workload.replicas;
            workload.rolling = (!over).then_some(STUCK.min(since + 1));
        }
    }

    /// Whether there is somebody who scrapes.
    pub fn is_scraped(&self) -> bool {
        self.pods.iter().any(|pod| pod.workload.starts_with("prometheus-") && pod.ready)
    }

    /// What there is of a kind, such as `node`, `pod` or `Deployment`.
    pub fn facts(&self, kind: &str) -> Vec<Facts> {
        match kind {
            "cluster" => vec![Facts::new()],
            "namespace" => self.namespaces(),
            "node" => self.nodes.iter().map(|node| self.node_facts(node)).collect(),
            "control-plane" if self.kind == Kind::Managed => Vec::new(),
            "control-plane" => {
                self.nodes.iter().filter(|node| node.control_plane).map(|node| self.node_facts(node)).collect()
            }
            "api-server" if self.kind == Kind::Managed => {
                let mut facts = self.node_facts(&self.nodes[0]);
                facts.insert("node_ip", "203.0.113.1".to_owned());
                vec![facts]
            }
            "api-server" => self.facts("control-plane"),
            "taint" => self.nodes.iter().flat_map(|node| self.taints(node)).collect(),
            "pod" => self.pods.iter().map(|pod| self.pod_facts(pod)).collect(),
            "container" => self.pods.iter().map(|pod| self.pod_facts(pod)).collect(),
            "mount" => self.pods.iter().map(|pod| self.pod_facts(pod)).filter(|pod| pod["claim"] != NONE).collect(),
            "endpoint" => self.endpoints(),
            "ReplicaSet" => self.replica_sets(),
            "claim" => self.claims(),
            "Deployment" | "StatefulSet" | "DaemonSet" => self.workloads_that(|workload| workload.kind == kind),
            "Service" => self.workloads_that(|workload| workload.service),
            "budget" => self.workloads_that(|workload| workload.budget.is_some()),
            "autoscaler" => self.workloads_that(|workload| workload.autoscaler),
            workload => {
                let pods: Vec<_> = self.pods.iter().filter(|pod| pod.workload == workload).collect();
                assert!(self.workloads.iter().any(|known| known.name == workload), "nothing is called `{workload}`");
                pods.into_iter().filter(|pod| pod.node.is_some()).map(|pod| self.pod_facts(pod)).collect()
            }
        }
    }

    /// What is known of all of it; each thing is known to be a part of it.
    pub fn cluster_facts(&self) -> Facts {
        let silent = self.nodes.iter().filter(|node| !node.powered).count();
        let homeless = self.pods.iter().filter(|pod| pod.node.is_none()).count();
        Facts::from([
            ("hour", (60 * self.hour).to_string()),
            ("next_hour", (60 * self.hour + 3600).to_string()),
            ("nodes", (self.nodes.len() - silent).to_string()),
            ("first_node", self.nodes.first().map(|node| node.name.clone()).unwrap_or_default()),
            ("unschedulable_pods", homeless.to_string()),
            ("kubelet_answers", format!("+{}", 4 * (self.nodes.len() - silent))),
            ("kubelet_failures", if silent == 0 { "0".to_owned() } else { format!("+{}", 4 * silent) }),
        ])
    }

    fn namespaces(&self) -> Vec<Facts> {
        let names: BTreeSet<_> = self.workloads.iter().map(|workload| &workload.namespace).collect();
        names.into_iter().map(|name| Facts::from([("namespace", name.clone())])).collect()
    }

    fn node_facts(&self, node: &Node) -> Facts {
        let running = self.pods.iter().filter(|pod| pod.node.as_ref() == Some(&node.name) && pod.running).count();
        Facts::from([
            ("node", node.name.clone()),
            ("node_ip", node.ip.clone()),
            ("version", node.version.clone()),
            ("created", (60 * node.created).to_string()),
            ("deleted", NONE.to_owned()),
            ("boot", (60 * node.booted).to_string()),
            ("cordoned", flag(node.cordoned)),
            ("ready", flag(node.is_ready())),
            ("unknown", flag(!node.is_ready())),
            ("running_pods", running.to_string()),
            ("up", flag(node.powered)),
        ])
    }

    fn taints(&self, node: &Node) -> Vec<Facts> {
        let mut all: Vec<_> = node.taints.iter().map(|key| (key.as_str(), "NoSchedule")).collect();
        if node.control_plane && self.kind != Kind::Single {
            all.push(("node-role.kubernetes.io/control-plane", "NoSchedule"));
        }
        if node.cordoned {
            all.push(("node.kubernetes.io/unschedulable", "NoSchedule"));
        }
        if !node.is_ready() {
            all.extend([
                ("node.kubernetes.io/unreachable", "NoSchedule"),
                ("node.kubernetes.io/unreachable", "NoExecute"),
            ]);
        }
        let facts = |(key, effect): (&str, &str)| {
            Facts::from([("node", node.name.clone()), ("key", key.to_owned()), ("effect", effect.to_owned())])
        };
        all.into_iter().map(facts).collect()
    }

    fn pod_facts(&self, pod: &Pod) -> Facts {
        let workload = self.workloads.iter().find(|workload| workload.name == pod.workload);
        let workload = workload.unwrap_or_else(|| panic!("`{}` has a workload", pod.name));
        let node = pod.node.as_ref().and_then(|name| self.nodes.iter().find(|node| node.name == *name));
        let (owner_kind, owner) = match workload.kind.as_str() {
            "Deployment" => ("ReplicaSet", format!("{}-{}", workload.name, replica_set(pod.revision))),
            kind => (kind, workload.name.clone()),
        };
        let powered = node.is_some_and(|node| node.powered);
        let reason =
            if workload.trouble == Some(Trouble::CrashLoop) { Some("CrashLoopBackOff") } else { pod.waits.as_deref() };
        Facts::from([
            ("namespace", workload.namespace.clone()),
            ("pod", pod.name.clone()),
            ("uid", format!("uid-{}", pod.serial)),
            ("name", workload.name.clone()),
            ("container", container(&workload.name).to_owned()),
            ("node", node.map(|node| node.name.clone()).unwrap_or_default()),
            ("node_ip", node.map(|node| node.ip.clone()).unwrap_or_default()),
            ("ip", format!("10.244.{}.{}", pod.serial / 250, pod.serial % 250 + 1)),
            ("owner_kind", owner_kind.to_owned()),
            ("owner", owner),
            ("created", (60 * pod.created).to_string()),
            ("deleted", pod.deleted.map_or(NONE.to_owned(), |at| (60 * at + 30).to_string())),
            ("is_deleted", pod.deleted.is_some().to_string()),
            ("pending", flag(!pod.running)),
            ("running", flag(pod.running)),
            ("succeeded", flag(false)),
            ("ready", flag(pod.ready)),
            ("is_ready", pod.ready.to_string()),
            ("unready", flag(!pod.ready)),
            ("unschedulable", if node.is_none() { flag(true) } else { NONE.to_owned() }),
            ("reason", reason.unwrap_or_default().to_owned()),
            ("waiting", reason.map_or(NONE.to_owned(), |_| flag(true))),
            ("restarts", if workload.trouble == Some(Trouble::CrashLoop) { "+0.2".to_owned() } else { "0".to_owned() }),
            ("crashed", if pod.crashed { flag(true) } else { NONE.to_owned() }),
            ("probes", if pod.ready { "+6" } else { "0" }.to_owned()),
            ("failed_probes", if powered && pod.running && !pod.ready { "+6" } else { "0" }.to_owned()),
            ("claim", if workload.claim { format!("data-{}", pod.name) } else { NONE.to_owned() }),
            ("boot", node.map_or(0, |node| 60 * node.booted).to_string()),
            ("up", flag(powered && pod.running && workload.trouble != Some(Trouble::CrashLoop))),
        ])
    }

    fn endpoints(&self) -> Vec<Facts> {
        let serves = |pod: &&Pod| {
            pod.node.is_some()
                && self.workloads.iter().any(|workload| workload.name == pod.workload && workload.service)
        };
        self.pods.iter().filter(serves).map(|pod| self.pod_facts(pod)).collect()
    }

    fn claims(&self) -> Vec<Facts> {
        let mut found = Vec::new();
        for workload in self.workloads.iter().filter(|workload| workload.claim) {
            for number in 0..workload.replicas {
                found.push(Facts::from([
                    ("namespace", workload.namespace.clone()),
                    ("claim", format!("data-{}-{number}", workload.name)),
                ]));
            }
        }
        found
    }

    fn replica_sets(&self) -> Vec<Facts> {
        let mut found = Vec::new();
        for workload in self.workloads.iter().filter(|workload| workload.kind == "Deployment") {
            for revision in 1..=workload.revision {
                found.push(Facts::from([
                    ("namespace", workload.namespace.clone()),
                    ("owner", workload.name.clone()),
                    ("name", format!("{}-{}", workload.name, replica_set(revision))),
                ]));
            }
        }
        found
    }

    fn workloads_that(&self, which: impl Fn(&Workload) -> bool) -> Vec<Facts> {
        self.workloads.iter().filter(|workload| which(workload)).map(|workload| self.workload_facts(workload)).collect()
    }

    fn workload_facts(&self, workload: &Workload) -> Facts {
        let pods: Vec<_> =
            self.pods.iter().filter(|pod| pod.workload == workload.name && pod.deleted.is_none()).collect();
        let available = pods.iter().filter(|pod| pod.ready).count();
        let updated = pods.iter().filter(|pod| pod.revision == workload.revision).count();
        let needed = workload.budget.unwrap_or_default();
        Facts::from([
            ("namespace", workload.namespace.clone()),
            ("name", workload.name.clone()),
            ("replicas", workload.replicas.to_string()),
            ("there", pods.len().to_string()),
            ("available", available.to_string()),
            ("updated", updated.to_string()),
            ("revision", workload.revision.to_string()),
            ("progressing", flag(workload.rolling != Some(STUCK))),
            ("stuck", flag(workload.rolling == Some(STUCK))),
            ("is_available", flag(4 * available >= 3 * workload.replicas)),
            ("is_unavailable", flag(4 * available < 3 * workload.replicas)),
            ("needed", needed.to_string()),
            ("allowed", available.saturating_sub(needed).to_string()),
        ])
    }
}

fn flag(is: bool) -> String {
    u8::from(is).to_string()
}

fn replica_set(revision: usize) -> String {
    format!("7d9f8c6b{revision}")
}

/// The container that a pod is there for.
fn container(workload: &str) -> &str {
    match workload {
        "kube-prometheus-stack-kube-state-metrics" => "kube-state-metrics",
        "kube-prometheus-stack-prometheus-node-exporter" => "node-exporter",
        "prometheus-kube-prometheus-stack-prometheus" => "prometheus",
        "alertmanager-kube-prometheus-stack-alertmanager" => "alertmanager",
        "loki-stack-promtail" => "promtail",
        "loki-stack" => "loki",
        name => name,
    }
}
