//! What templates may say: everything the stack decides, derived once.
//!
//! Each component has one function that turns the stack into the names, ports, labels and URLs of that component;
//! templates find them under the component's name, `{{loki.url}}`, and `null` there when the component is off.

mod alertmanager;
mod alerts;
mod alloy;
mod argocd;
mod blackbox_exporter;
mod crds;
mod flask;
mod flux;
mod grafana;
mod journal;
mod kube_state_metrics;
mod kubernetes_targets;
mod lab_object_storage;
mod log_pipelines;
mod loki;
mod loki_processes;
mod memory;
mod metrics_server;
mod monitored;
mod namespaces;
mod network_policies;
mod node_exporter;
mod object_storage;
mod outputs;
mod prometheus;
mod prometheus_operator;
mod promtail;
mod reach;
mod scrape_config;
mod thanos;
mod thanos_receive;
mod thanos_ruler;
mod values;
mod workload;

use monitored::{Job, monitored};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use vigil_stack::Stack;
use vigil_stack::model::{HasPods, Ingress, Part as _, Persistence, Resources, Service, TaintEffect, Toleration};
use vigil_stack::units::{HttpPath, Image, Port, Registry, StackName, Url};
use workload::{Role, Workload};

/// What has a folder in `templates/`, and one in `manifests/`.
struct Component {
    /// The name of both folders, and for a part of the stack its key in `stack.yaml`.
    name: &'static str,
    /// Whether the stack wants it.
    enabled: fn(&Stack) -> bool,
    /// The pods that it runs.
    workloads: fn(&Stack) -> Vec<Workload>,
    /// What it has Prometheus scrape.
    jobs: fn(&Stack) -> Vec<Job>,
    /// What templates may say of it.
    facts: fn(&Stack) -> Value,
}

/// What the stack needs in any case, or because of some part.
const COMMON: &[Component] = &[
    Component {
        name: "namespaces",
        enabled: |_| true,
        workloads: |_| Vec::new(),
        jobs: |_| Vec::new(),
        facts: namespaces::facts,
    },
    Component {
        name: "crds",
        enabled: crds::enabled,
        workloads: |_| Vec::new(),
        jobs: |_| Vec::new(),
        facts: crds::facts,
    },
];

/// Declares a component for each part, which has a module of its field's name here.
macro_rules! components {
    ($($name:literal $part:ident: $settings:ident,)+) => {
        /// The parts, in the order in which they are applied and listed.
        const PARTS: &[Component] = &[$(Component {
            name: $name,
            enabled: |stack| stack.$part.is_in(stack),
            workloads: $part::workloads,
            jobs: $part::jobs,
            facts: $part::facts,
        },)+];
    };
}

vigil_stack::for_each_part!(components);

/// The Helm release whose names the metrics side keeps, so that a Helm user can compare and move.
const METRICS_RELEASE: &str = "kube-prometheus-stack";

/// The same for the logs side.
const LOGS_RELEASE: &str = "loki-stack";

/// What the names of the metrics side begin with: the stack's own name, or the release's.
pub(crate) fn metrics_release(stack: &Stack) -> &str {
    release(stack, METRICS_RELEASE)
}

/// The same for the logs side.
fn logs_release(stack: &Stack) -> String {
    stack.name.as_ref().map_or_else(|| LOGS_RELEASE.to_owned(), |name| format!("{name}-loki"))
}

/// The instance that something belongs to: the stack, where it has a name, or the Helm release that a Helm user has.
fn release<'a>(stack: &'a Stack, usual: &'static str) -> &'a str {
    stack.name.as_ref().map_or(usual, StackName::as_str)
}

/// The name of an object that is called the same in every stack without a name.
fn named(stack: &Stack, usual: &str) -> String {
    stack.name.as_ref().map_or_else(|| usual.to_owned(), |name| format!("{name}-{usual}"))
}

fn components() -> impl Iterator<Item = &'static Component> {
    COMMON.iter().chain(PARTS)
}

/// The components that the stack switches on, in the order in which they are applied and listed.
pub(crate) fn enabled(stack: &Stack) -> Vec<&'static str> {
    components().filter(|component| (component.enabled)(stack)).map(|component| component.name).collect()
}

/// The facts of all components, by component; `null` for those that are off.
pub(crate) fn facts(stack: &Stack) -> Value {
    let facts = |component: &Component| if (component.enabled)(stack) { (component.facts)(stack) } else { Value::Null };
    components().map(|component| (component.name.to_owned(), facts(component))).collect::<Map<_, _>>().into()
}

/// The pods of all parts that the stack switches on.
fn workloads(stack: &Stack) -> Vec<Workload> {
    let enabled = PARTS.iter().filter(|component| (component.enabled)(stack));
    enabled.flat_map(|component| (component.workloads)(stack)).collect()
}

/// The `job` of everything that the stack can scrape, by the name that rules give it; `None` for what it does not scrape.
pub(crate) fn jobs(stack: &Stack) -> BTreeMap<&'static str, Option<String>> {
    let of = |component: &Component| {
        let enabled = (component.enabled)(stack);
        (component.jobs)(stack).into_iter().map(move |job| (job.target, job.name.filter(|_| enabled)))
    };
    PARTS.iter().flat_map(of).collect()
}

/// The ports in the network of nodes at which the stack scrapes something.
fn node_ports(stack: &Stack) -> BTreeSet<u16> {
    let enabled = PARTS.iter().filter(|component| (component.enabled)(stack));
    let scraped = enabled.flat_map(|component| (component.jobs)(stack)).filter(|job| job.name.is_some());
    scraped.flat_map(|job| job.node_ports).collect()
}

pub(crate) use loki::{give_log_rules, log_alerts};

/// The labels of a component's PrometheusRule objects, with the one that `prometheus.selection` may ask for.
pub(crate) fn rule_labels(stack: &Stack, component: &str) -> Value {
    let identity = Identity { name: component, instance: metrics_release(stack), component: "rules", image: None };
    monitored(stack, identity.facts())["monitorLabels"].clone()
}

pub(crate) use thanos_ruler::global_rule_labels;

/// The labels of a component's dashboards, with the one by which Grafana's side-car finds them.
pub(crate) fn dashboard_labels(stack: &Stack, component: &str) -> Value {
    let identity = Identity { name: component, instance: metrics_release(stack), component: "dashboards", image: None };
    monitored::labelled(&identity.facts(), grafana::DASHBOARD_LABEL, grafana::dashboard_value(stack))
}

/// Whether a component makes pods of custom resources, so that Argo CD has to apply it before those.
pub(crate) fn makes_pods(stack: &Stack, component: &str) -> bool {
    let found = PARTS.iter().find(|it| it.name == component);
    found.is_some_and(|it| (it.workloads)(stack).iter().any(|workload| workload.has(Role::Operator)))
}

/// Whether an object of a component makes pods that see their node.
pub(crate) fn is_on_node(stack: &Stack, component: &str, name: &str) -> bool {
    let found = PARTS.iter().find(|it| it.name == component);
    found.is_some_and(|it| (it.workloads)(stack).iter().any(|pods| pods.on_node && pods.name == name))
}

/// Who an object is, as the recommended labels say it.
struct Identity<'a> {
    /// `app.kubernetes.io/name`: the program.
    name: &'a str,
    /// `app.kubernetes.io/instance`: this installation of it.
    instance: &'a str,
    /// `app.kubernetes.io/component`: its part in the stack.
    component: &'a str,
    /// The image that `app.kubernetes.io/version` is read from.
    image: Option<&'a Image>,
}

impl Identity<'_> {
    /// The labels by which its pods are selected: what never changes.
    fn selector(&self) -> Map<String, Value> {
        let labels = [("app.kubernetes.io/name", self.name), ("app.kubernetes.io/instance", self.instance)];
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
    }

    /// `labels` for every object and pod, and `selector`, which holds only what never changes. What the stack adds to both
    /// is added to finished objects.
    fn facts(&self) -> Map<String, Value> {
        let labels = [
            ("app.kubernetes.io/name", self.name),
            ("app.kubernetes.io/instance", self.instance),
            ("app.kubernetes.io/component", self.component),
            ("app.kubernetes.io/part-of", self.instance),
            ("app.kubernetes.io/managed-by", "vigil"),
        ];
        let mut labels: Map<String, Value> =
            labels.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        if let Some(version) = self.image.and_then(version) {
            labels.insert("app.kubernetes.io/version".to_owned(), version.into());
        }
        [("labels".to_owned(), labels.into()), ("selector".to_owned(), self.selector().into())].into_iter().collect()
    }
}

/// The tag of an image as a label value; none when the tag does not fit one.
fn version(image: &Image) -> Option<&str> {
    let tag = image.tag()?;
    tag.parse::<vigil_stack::units::LabelValue>().ok().map(|_| tag)
}

/// A component's own facts on top of its labels and selector.
fn with(mut labels: Map<String, Value>, own: Value) -> Value {
    if let Value::Object(own) = own {
        labels.extend(own);
    }
    labels.into()
}

/// The registry that an image is pulled from: its own, or the stack's mirror unless the image names that itself.
fn registry<'a>(stack: &'a Stack, image: &'a Image) -> &'a str {
    let own = image.registry();
    let mirror = stack.image_registry.as_ref().map(Registry::as_str);
    mirror.filter(|mirror| own != mirror.split('/').next()).or(own).unwrap_or("docker.io")
}

/// An image as pods name it.
fn image(stack: &Stack, image: &Image) -> String {
    if stack.image_registry.is_none() {
        return image.to_string();
    }
    let tag = image.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
    let digest = image.digest().map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{}/{}{tag}{digest}", registry(stack, image), image.repository())
}

/// The parts of an image for charts, which put a colon between the repository and the tag, and have no or each another key for a
/// digest: it goes behind the tag, or its sum into the place of one.
fn image_parts(stack: &Stack, image: &Image) -> Value {
    let repository = image.repository();
    let (repository, tag) = match (image.tag(), image.digest().and_then(|digest| digest.split_once(':'))) {
        (Some(tag), None) => (repository.to_owned(), tag.to_owned()),
        (Some(tag), Some((kind, sum))) => (repository.to_owned(), format!("{tag}@{kind}:{sum}")),
        (None, digest) => {
            let (kind, sum) = digest.unwrap_or_default();
            (format!("{repository}@{kind}"), sum.to_owned())
        }
    };
    json!({ "registry": registry(stack, image), "repository": repository, "tag": tag })
}

/// Where a component's pods run and what they may use, for the partials `pods` and `disruption-budget`.
///
/// `replicas` is `None` for what runs on every node: that is not spread or held back, and it tolerates the taints of
/// the control plane, whose metrics and logs count as much as any other node's.
fn pods(stack: &Stack, component: &impl HasPods, replicas: Option<u16>) -> Value {
    let pods = stack.pods_of(component);
    let replicated = replicas.is_some_and(|replicas| replicas > 1);
    let mut tolerations = pods.tolerations.unwrap_or_default();
    if replicas.is_none() {
        let control_plane = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];
        let own = control_plane.map(|key| Toleration::known(key, TaintEffect::NoSchedule));
        tolerations.extend(own.into_iter().filter(|own| !tolerations.contains(own)).collect::<Vec<_>>());
    }
    let secrets = pods.image_pull_secrets.unwrap_or_default();
    json!({
        "nodeSelector": pods.node_selector.filter(|labels| !labels.is_empty()),
        "tolerations": tolerations,
        "priorityClassName": pods.priority_class_name,
        "imagePullSecrets": secrets.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "affinity": pods.affinity,
        "topologySpread": replicated && pods.topology_spread.unwrap_or(true),
        "disruptionBudget": replicated && pods.disruption_budget.unwrap_or(true),
        "labels": Some(&pods.labels).filter(|labels| !labels.is_empty()),
        "annotations": Some(&pods.annotations).filter(|annotations| !annotations.is_empty()),
        "goMemoryLimit": memory::go_limit(&pods.resources),
        "resources": pods.resources,
        "containers": pods.containers,
    })
}

/// The same for pods of a component whose container is another one than its main one.
fn pods_of(stack: &Stack, component: &impl HasPods, container: &str, replicas: Option<u16>) -> Value {
    let mut pods = pods(stack, component, replicas);
    let resources = resources(stack, component, container);
    pods["goMemoryLimit"] = memory::go_limit(&resources).into();
    pods["resources"] = json!(resources);
    pods
}

/// What a container of a component may use; the main one has none of its own name.
fn resources(stack: &Stack, component: &impl HasPods, container: &str) -> Resources {
    let pods = stack.pods_of(component);
    let own = pods.containers.into_iter().find(|(name, _)| name.as_str() == container);
    own.map_or(pods.resources, |(_, resources)| resources)
}

/// How a Service is reached, every key present, for the partial `service-type`. `port` is the component's usual one.
fn service(service: &Service, port: u16) -> Value {
    json!({
        "port": service.port.map_or(port, Port::get),
        "type": service.r#type,
        "nodePort": service.node_port,
        "loadBalancerIP": service.load_balancer_ip,
        "loadBalancerClass": service.load_balancer_class,
        "loadBalancerSourceRanges": service.load_balancer_source_ranges,
    })
}

/// How long a program may take from its start until it is ready, for its startup probe. It is there for programs that
/// read or move all their data first, which take as long as it takes: one that is killed meanwhile begins anew, so the
/// end is for those that hang. An hour is enough for 10 GiB of log at 3 MB a second, a tenth of what one core does.
fn startup() -> Value {
    const SECONDS: u32 = 3600;
    const PERIOD: u32 = 10;
    json!({ "seconds": SECONDS, "period": PERIOD, "failures": SECONDS / PERIOD })
}

/// The port of the side-car that reloads configuration, in pods that the operator makes.
const RELOADER_PORT: u16 = 8080;

/// How a component is reached in a browser, and what follows from it.
struct Web<'a> {
    /// The name of its Service.
    name: &'a str,
    namespace: &'a str,
    port: u16,
    external_url: Option<&'a Url>,
    ingress: &'a Ingress,
}

impl Web<'_> {
    /// The path in front of everything that it serves, without a slash at its end.
    fn prefix(&self) -> &str {
        let of_ingress = self.ingress.path.as_ref().filter(|_| self.ingress.enabled).map(HttpPath::as_str);
        self.external_url.map(Url::path).or(of_ingress).unwrap_or_default().trim_end_matches('/')
    }

    fn facts(&self) -> Map<String, Value> {
        let Ingress { enabled, class_name, host, tls, basic_auth_secret, gateway, .. } = self.ingress;
        let prefix = self.prefix();
        let internal = format!("http://{}.{}:{}{prefix}", self.name, self.namespace, self.port);
        let scheme = self.ingress.scheme();
        let of_ingress = host.as_ref().filter(|_| *enabled).map(|host| format!("{scheme}://{host}{prefix}"));
        let route = if prefix.is_empty() { "/" } else { prefix };
        let own = json!({
            // Where the rest of the stack reaches it.
            "url": internal,
            "externalUrl": self.external_url.map(ToString::to_string).or(of_ingress).unwrap_or(internal.clone()),
            "routePrefix": route,
            "metricsPath": format!("{prefix}/metrics"),
            "ingress": {
                "enabled": enabled,
                "name": self.name,
                "namespace": self.namespace,
                "className": class_name,
                "host": host,
                "path": route,
                "tls": tls,
                "login": basic_auth_secret,
                "gateway": gateway,
                "service": { "name": self.name, "port": { "name": "http-web" }, "number": self.port },
            },
        });
        match own {
            Value::Object(own) => own,
            _ => Map::new(),
        }
    }
}

/// The version that an image's tag says it is, as the operator wants to know it; none for a tag that says something
/// else.
fn semantic_version(image: &Image) -> Option<&str> {
    let tag = image.tag()?;
    let numbers = tag.strip_prefix('v').unwrap_or(tag).split(['-', '+']).next()?;
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (numbers.split('.').count() == 3 && numbers.split('.').all(number)).then_some(tag)
}

/// A volume of an object that the operator makes pods of.
fn persistence(persistence: &Persistence) -> Value {
    json!({
        "enabled": persistence.enabled,
        "size": persistence.size,
        "storageClassName": persistence.storage_class_name,
    })
}
