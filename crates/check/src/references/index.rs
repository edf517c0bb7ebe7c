//! Finding things in the set: objects by name, pods and Services by their labels. Built once, in one pass.

use super::makers::{Keys, Makers};
use super::selector::{Label, Labelled, Selector};
use super::uses::{self, Use};
use super::{operator, provided};
use crate::finding::{Finding, Findings};
use crate::object::Object;
use crate::pods::PodTemplate;
use crate::rule::Rule;
use crate::set::Set;
use std::collections::{HashMap, HashSet};
use vigil_yaml::words::nearest;
use vigil_yaml::{Node, Quoted};

/// Pods of one workload, or of the cluster itself.
#[derive(Debug)]
pub(crate) struct Pod<'a> {
    /// What makes them; none for those of the cluster.
    pub(crate) object: Option<&'a Object<'a>>,
    /// Their specification, or what holds the same fields.
    pub(crate) spec: Option<&'a Node>,
    /// Where they run.
    pub(crate) namespace: &'a str,
    /// Their labels.
    pub(crate) labels: Vec<(&'a str, &'a str)>,
    /// The ports of their containers.
    pub(crate) ports: Vec<Port<'a>>,
    /// Whether these are all ports there are.
    pub(crate) ports_known: bool,
}

/// A port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port<'a> {
    /// Empty for none.
    pub(crate) name: &'a str,
    /// 0 for none.
    pub(crate) number: i64,
    /// TCP, UDP or SCTP.
    pub(crate) protocol: &'a str,
}

impl<'a> Port<'a> {
    /// The ports that the containers of a pod's specification declare. A sidecar is an init container that goes on.
    pub(crate) fn declared(spec: &'a Node) -> impl Iterator<Item = Self> {
        let list = |key| spec.get(key).map(Node::items).unwrap_or_default();
        let goes_on = |container: &&Node| container.get("restartPolicy").and_then(Node::text) == Some("Always");
        let containers = list("initContainers").iter().filter(goes_on).chain(list("containers"));
        containers.filter_map(|container| container.get("ports")).flat_map(Node::items).map(|port| Self {
            name: port.get("name").and_then(Node::text).unwrap_or_default(),
            number: port.get("containerPort").and_then(Node::integer).unwrap_or_default(),
            protocol: protocol(port),
        })
    }
}

/// The protocol of a port of any sort.
pub(crate) fn protocol(port: &Node) -> &str {
    port.get("protocol").and_then(Node::text).unwrap_or("TCP")
}

impl Pod<'_> {
    /// What is known of one of their labels.
    pub(crate) fn label(&self, key: &str) -> Label<'_> {
        if let Some((_, value)) = self.labels.iter().find(|(own, _)| *own == key) {
            return Label::Is(value);
        }
        match key {
            "statefulset.kubernetes.io/pod-name" => match self.object {
                Some(object) if object.is("apps", "StatefulSet") => Label::Begins(object.name),
                Some(object) if object.group == operator::GROUP => Label::Begins(""),
                _ => Label::Absent,
            },
            _ if varies(key) => Label::Begins(""),
            _ => Label::Absent,
        }
    }

    /// Whether they are on the node's network, which no NetworkPolicy reaches.
    pub(crate) fn on_host(&self) -> bool {
        let on_host = |spec: &Node| spec.get("hostNetwork").and_then(Node::boolean) == Some(true);
        self.object.is_none() || self.spec.is_some_and(on_host)
    }

    /// Whether there is no more than one of them at a time, updates aside.
    pub(crate) fn is_single(&self) -> bool {
        let number = |key: &str| self.object?.at(&["spec", key])?.integer();
        let is_daemon = self.object.is_some_and(|object| object.is("apps", "DaemonSet"));
        !is_daemon && ["replicas", "shards"].iter().all(|key| number(key).unwrap_or(1) <= 1)
    }

    /// The number of the port with this name.
    pub(crate) fn port(&self, name: &str, protocol: &str) -> Option<i64> {
        let is_it = |port: &&Port<'_>| port.name == name && port.protocol == protocol;
        self.ports.iter().find(is_it).map(|port| port.number)
    }
}

/// Whether the cluster sets this label on pods, with a value that no manifest tells.
fn varies(key: &str) -> bool {
    matches!(
        key,
        "statefulset.kubernetes.io/pod-name"
            | "apps.kubernetes.io/pod-index"
            | "controller-revision-hash"
            | "pod-template-generation"
            | "pod-template-hash"
            | "job-name"
            | "controller-uid"
            | "batch.kubernetes.io/job-name"
            | "batch.kubernetes.io/controller-uid"
            | "batch.kubernetes.io/job-completion-index"
            | "operator.prometheus.io/shard"
    )
}

/// Where an object is that something refers to.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// In the set.
    Here(&'a Object<'a>),
    /// In the cluster, with these keys.
    Elsewhere(Keys<'a>),
    /// Nowhere.
    Nowhere,
}

/// The set, ready to be asked.
pub(crate) struct Index<'a> {
    /// The set itself.
    pub(crate) set: &'a Set<'a>,
    /// Pods, by the numbers that [`Index::select`] gives.
    pub(crate) pods: Vec<Pod<'a>>,
    by_labels: Labelled<'a>,
    services: Labelled<'a>,
    names: HashMap<(&'a str, &'a str, &'a str, &'a str), usize>,
    provided: HashSet<(&'a str, &'a str, &'a str)>,
    /// Names of objects that an operator may make pods for.
    operated: HashSet<(&'a str, &'a str)>,
    makers: Makers<'a>,
    /// What objects ask for by name.
    pub(crate) uses: Vec<Use<'a>>,
}

impl<'a> Index<'a> {
    /// The index of a set.
    pub(crate) fn new(set: &'a Set<'a>) -> Self {
        let mut index = Self {
            set,
            pods: Vec::new(),
            by_labels: Labelled::default(),
            services: Labelled::default(),
            names: HashMap::with_capacity(set.objects.len()),
            provided: set.options.provided.iter().map(|it| (&*it.kind, &*it.namespace, &*it.name)).collect(),
            operated: HashSet::new(),
            makers: Makers::new(set),
            uses: uses::collect(set),
        };
        for (number, object) in set.objects.iter().enumerate() {
            // The first of two counts; that there are two is told elsewhere.
            index.names.entry((object.group, object.kind, object.namespace, object.name)).or_insert(number);
            if object.is("", "Service") {
                index.services.add(number, object.namespace, object.labels().iter());
            }
            if let Some(pod) = pods_of(object, set.home(object)) {
                index.add_pod(pod);
            } else if is_foreign(object) {
                index.operated.insert((set.home(object), object.name));
            }
        }
        for labels in provided::SYSTEM_PODS {
            index.add_pod(Pod {
                object: None,
                spec: None,
                namespace: "kube-system",
                labels: labels.to_vec(),
                ports: Vec::new(),
                ports_known: false,
            });
        }
        index
    }

    fn add_pod(&mut self, pod: Pod<'a>) {
        self.by_labels.add(self.pods.len(), pod.namespace, pod.labels.iter().copied());
        self.pods.push(pod);
    }

    /// The objects of a kind that can be judged: those of texts without mistakes.
    pub(crate) fn judged(&self, group: &'a str, kind: &str) -> impl Iterator<Item = &'a Object<'a>> {
        self.set.of_kind(group, kind).filter(|object| !object.damaged)
    }

    /// The object of this kind and name in the set.
    pub(crate) fn object(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Option<&'a Object<'a>> {
        self.names.get(&(group, kind, namespace, name)).map(|number| &self.set.objects[*number])
    }

    /// The number of the object in the set that something refers to by this name.
    pub(crate) fn number(&self, object: &Object<'_>) -> Option<usize> {
        self.names.get(&(object.group, object.kind, object.namespace, object.name)).copied()
    }

    /// Where the object is that something refers to.
    pub(crate) fn find(&self, group: &str, kind: &str, namespace: &str, name: &str) -> Found<'a> {
        if let Some(object) = self.object(group, kind, namespace, name) {
            return Found::Here(object);
        }
        if provided::has(kind, namespace, name) {
            return Found::Elsewhere(provided::keys(kind, name));
        }
        if self.provided.contains(&(kind, namespace, name)) || self.provided.contains(&(kind, "", name)) {
            return Found::Elsewhere(Keys::Any);
        }
        let exists = |kind| self.set.of_kind(operator::GROUP, kind).any(|object| object.namespace == namespace);
        if kind == "Service" && operator::makes_service(name, exists) {
            return Found::Elsewhere(Keys::Any);
        }
        match self.makers.find(kind, namespace, name) {
            Some(keys) => Found::Elsewhere(keys),
            None => Found::Nowhere,
        }
    }

    /// The pods in a namespace that are selected.
    pub(crate) fn select(&self, namespace: &str, selector: Selector<'_>) -> Vec<usize> {
        let mut pods = self.by_labels.candidates(namespace, selector, varies);
        pods.retain(|pod| selector.selects(|key| self.pods[*pod].label(key)));
        pods
    }

    /// The Services in a namespace that are selected.
    pub(crate) fn select_services(&self, namespace: &str, selector: Selector<'_>) -> Vec<&'a Object<'a>> {
        let numbers = self.services.candidates(namespace, selector, |_| false);
        let services = numbers.into_iter().map(|number| &self.set.objects[number]);
        services.filter(|service| selector.selects(|key| label_of(service, key))).collect()
    }

    /// The namespaces that hold Services.
    pub(crate) fn namespaces_of_services(&self) -> impl Iterator<Item = &'a str> {
        self.services.namespaces()
    }

    /// The namespaces that hold pods.
    pub(crate) fn namespaces_of_pods(&self) -> impl Iterator<Item = &'a str> {
        self.by_labels.namespaces()
    }

    /// Whether the set makes any pods in a namespace.
    pub(crate) fn has_pods(&self, namespace: &str) -> bool {
        self.by_labels.all(namespace).iter().any(|pod| self.pods[*pod].object.is_some())
    }

    /// Whether any pod in a namespace has a label with this key.
    pub(crate) fn has_key(&self, namespace: &str, key: &str) -> bool {
        self.by_labels.has_key(namespace, key)
    }

    /// Whether any pod in a namespace has this label.
    pub(crate) fn has_label(&self, namespace: &str, key: &str, value: &str) -> bool {
        varies(key) || !self.by_labels.with(namespace, key, value).is_empty()
    }

    /// The values that a label of pods in a namespace has; not of all when they are many.
    pub(crate) fn values_of(&self, namespace: &str, key: &str) -> Vec<&'a str> {
        let pods = self.by_labels.all(namespace).iter().take(MANY).map(|pod| &self.pods[*pod]);
        pods.flat_map(|pod| &pod.labels).filter(|(own, _)| *own == key).map(|(_, value)| *value).collect()
    }

    /// Whether pods may come of a custom resource whose operator is not known: it has the name that a selector asks for.
    pub(crate) fn is_operated(&self, namespace: &str, selector: Selector<'_>) -> bool {
        selector.labels().iter().any(|(_, value)| self.operated.contains(&(namespace, value)))
    }

    /// Adds the finding that what `at` names is nowhere.
    pub(crate) fn missing<'f>(
        &self,
        findings: &'f mut Findings,
        rule: &'static Rule,
        object: &Object<'_>,
        at: &Node,
        wanted: Wanted<'_>,
    ) -> &'f mut Finding {
        let Wanted { group, kind, namespace, name } = wanted;
        let place = if namespace.is_empty() { String::new() } else { format!(" in namespace {}", Quoted(namespace)) };
        let message = format!("there is no {kind} {}{place}", Quoted(name));
        let known = || self.set.of_kind(group, kind).filter(|other| other.namespace == namespace).take(MANY);
        let elsewhere = || self.set.of_kind(group, kind).take(MANY).find(|other| other.name == name);
        let names: Vec<&str> = known().map(|other| other.name).collect();
        let slash = if namespace.is_empty() { "" } else { "/" };
        let finding = findings.add(rule, object, at, message);
        if let Some(near) = nearest(name, names.iter().copied()) {
            finding.label(format!("did you mean {}?", Quoted(near)));
        } else if let Some(other) = elsewhere() {
            finding.label(format!("there is one in namespace {}", Quoted(other.namespace)));
        }
        finding.help(format!(
            "correct the name or add the {kind}; if the cluster has it already, list `{kind} {namespace}{slash}{name}` \
             under `checks.provided` in stack.yaml"
        ))
    }
}

/// Names beyond which nothing is guessed.
const MANY: usize = 200;

/// What is referred to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) group: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// What is known of a label of an object.
fn label_of<'a>(object: &Object<'a>, key: &str) -> Label<'a> {
    object.labels().get(key).map_or(Label::Absent, Label::Is)
}

/// The pods that an object makes.
fn pods_of<'a>(object: &'a Object<'a>, home: &'a str) -> Option<Pod<'a>> {
    if object.group == operator::GROUP {
        return operator::pods(object);
    }
    if object.is("", "PodTemplate") {
        return None;
    }
    let own = PodTemplate::of(object);
    // Operators that are not known here have pod templates at the usual place, as Argo's Rollout has.
    let foreign = || {
        let node = object.at(&["spec", "template"]).filter(|_| is_foreign(object))?;
        let spec = node.get("spec")?;
        let has_pods = spec.get("containers").is_some() || node.at(&["metadata", "labels"]).is_some();
        has_pods.then_some(PodTemplate { node, spec })
    };
    let template = own.or_else(foreign)?;
    Some(Pod {
        object: Some(object),
        spec: Some(template.spec),
        namespace: home,
        labels: template.labels().iter().collect(),
        ports: Port::declared(template.spec).collect(),
        ports_known: own.is_some(),
    })
}

/// Whether an object is of a kind that is neither Kubernetes' own nor one that makes no pods for sure.
fn is_foreign(object: &Object<'_>) -> bool {
    const WITHOUT_PODS: &[&str] = &[
        operator::GROUP,
        "cert-manager.io",
        "acme.cert-manager.io",
        "external-secrets.io",
        "bitnami.com",
        "secrets-store.csi.x-k8s.io",
        "secrets.hashicorp.com",
        "networking.istio.io",
        "security.istio.io",
        "traefik.io",
        "keda.sh",
        "kyverno.io",
    ];
    let group = object.group;
    group.contains('.')
        && !group.ends_with(".k8s.io")
        && !WITHOUT_PODS.contains(&group)
        && !matches!((group, object.kind), ("argoproj.io", "Application" | "ApplicationSet" | "AppProject"))
}
