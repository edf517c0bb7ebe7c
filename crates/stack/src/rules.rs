//! What no single value of the stack can tell: combinations that cannot work, and warnings.

mod alerting;
mod grafana;

use crate::model::{
    Flask, HasPods as _, Ingress, Install, Pods, Resources, Service, ServiceType, Stack, TolerationOperator,
};
use crate::units::{Duration, NodePort, Url};
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Data, Node, Place, Problem, Severity, Span};

/// The problems found so far. Each speaks of the dotted paths of keys: first the one to be changed, then those that it
/// does not go together with.
pub(crate) struct Findings<'a> {
    root: &'a Node,
    /// Paths whose values are not what their author meant: what a rule said of them would be about the default.
    doubtful: &'a [String],
    problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(root: &'a Node, doubtful: &'a [String]) -> Self {
        Self { root, doubtful, problems: Vec::new() }
    }

    /// Warnings and errors, each in the order of the text.
    pub(crate) fn split(self) -> (Vec<Problem>, Vec<Problem>) {
        let mut problems = self.problems;
        Problem::sort(&mut problems);
        problems.into_iter().partition(|problem| problem.severity == Severity::Warning)
    }

    pub(crate) fn error(&mut self, paths: &[&str], message: impl Into<String>, label: &str, help: &str) {
        self.push(paths, Problem::error(message, self.place(paths)).label(label).help(help));
    }

    fn warning(&mut self, paths: &[&str], message: impl Into<String>, label: &str, help: &str) {
        self.push(paths, Problem::warning(message, self.place(paths)).label(label).help(help));
    }

    fn push(&mut self, paths: &[&str], problem: Problem) {
        // Messages call an item `list[0]`; rules find it at `list.0`.
        let doubtful = |path: &str| paths.iter().any(|known| overlap(&path.replace('[', ".").replace(']', ""), known));
        if !self.doubtful.iter().any(|path| doubtful(path)) {
            self.problems.push(problem);
        }
    }

    /// Whether the text says `path`, or leaves it to the default.
    fn says(&self, path: &str) -> bool {
        find(self.root, path).is_some_and(|(_, whole)| whole)
    }

    /// The first of `paths` that the text says; otherwise the nearest key above one; otherwise the file.
    fn place(&self, paths: &[&str]) -> Place {
        let found = |wanted: bool| {
            let mut places = paths.iter().filter_map(|path| find(self.root, path));
            places.find(|(_, whole)| *whole == wanted).map(|(span, _)| span)
        };
        let file = || Place::File(self.root.span.source.name.clone());
        found(true).or_else(|| found(false)).map_or_else(file, Place::Text)
    }
}

/// Whether one path is the other or lies below it.
fn overlap(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| short.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The place that `path` names, a number naming an item of a list, and whether it is found wholly. `None` when the
/// text does not even say its first key.
pub(crate) fn find(root: &Node, path: &str) -> Option<(Span, bool)> {
    let mut node = root;
    let mut place = None;
    for name in path.split('.') {
        let step = match &node.data {
            Data::Map(_) => node.entry(name).map(|entry| (&entry.key.span, &entry.value)),
            Data::List(items) => name.parse().ok().and_then(|at: usize| items.get(at)).map(|item| (&item.span, item)),
            Data::Scalar(_) => None,
        };
        let Some((key, value)) = step else { return place.map(|place| (place, false)) };
        node = value;
        place = match &node.data {
            Data::Scalar(_) if !node.span.range.is_empty() => Some(node.span.clone()),
            _ => Some(key.clone()),
        };
    }
    place.map(|place| (place, true))
}

pub(crate) fn check(stack: &Stack, findings: &mut Findings) {
    namespaces(stack, findings);
    for (component, service) in services(stack) {
        self::service(component, &service, findings);
    }
    node_ports(stack, findings);
    operator(stack, findings);
    prometheus(stack, findings);
    alerting::check(stack, findings);
    for (component, pods) in pods(stack) {
        limits(component, "pods.resources", &pods.resources, findings);
        for (name, resources) in &pods.containers {
            limits(component, &format!("pods.containers.{name}"), resources, findings);
        }
    }
    limits(
        "prometheus-operator",
        "reloaderResources",
        &stack.prometheus_operator.effective_reloader_resources(),
        findings,
    );
    for (path, pods) in written_pods(stack) {
        tolerations(path, pods, findings);
        containers(path, pods, &other_containers(stack, path), findings);
    }
    flask(stack, findings);
    grafana::check(stack, findings);
    metrics_server(stack, findings);
    logs(stack, findings);
    argocd(stack, findings);
}

/// The Services that people reach from outside, by component.
fn services(stack: &Stack) -> Vec<(&'static str, Service)> {
    let all = [
        ("grafana", stack.grafana.enabled, stack.grafana.effective_service()),
        ("prometheus", stack.prometheus.enabled, stack.prometheus.effective_service()),
        ("alertmanager", stack.alertmanager.enabled, stack.alertmanager.effective_service()),
    ];
    all.into_iter().filter(|(_, enabled, _)| *enabled).map(|(name, _, service)| (name, service)).collect()
}

/// The components that run pods, with the settings that hold for them.
fn pods(stack: &Stack) -> Vec<(&'static str, Pods)> {
    vec![
        ("alloy", stack.pods_of(&stack.alloy)),
        ("flask", stack.pods_of(&stack.flask)),
        ("kube-state-metrics", stack.pods_of(&stack.kube_state_metrics)),
        ("grafana", stack.pods_of(&stack.grafana)),
        ("loki", stack.pods_of(&stack.loki)),
        ("metrics-server", stack.pods_of(&stack.metrics_server)),
        ("node-exporter", stack.pods_of(&stack.node_exporter)),
        ("promtail", stack.pods_of(&stack.promtail)),
        ("prometheus", stack.pods_of(&stack.prometheus)),
        ("prometheus-operator", stack.pods_of(&stack.prometheus_operator)),
        ("alertmanager", stack.pods_of(&stack.alertmanager)),
    ]
}

/// The settings for pods where they are written.
pub(crate) fn written_pods(stack: &Stack) -> Vec<(&'static str, &Pods)> {
    vec![
        ("pods", &stack.pods),
        ("alloy.pods", &stack.alloy.pods),
        ("flask.pods", &stack.flask.pods),
        ("grafana.pods", &stack.grafana.pods),
        ("kube-state-metrics.pods", &stack.kube_state_metrics.pods),
        ("loki.pods", &stack.loki.pods),
        ("metrics-server.pods", &stack.metrics_server.pods),
        ("node-exporter.pods", &stack.node_exporter.pods),
        ("promtail.pods", &stack.promtail.pods),
        ("prometheus.pods", &stack.prometheus.pods),
        ("prometheus-operator.pods", &stack.prometheus_operator.pods),
        ("alertmanager.pods", &stack.alertmanager.pods),
    ]
}

fn namespaces(stack: &Stack, findings: &mut Findings) {
    let own =
        [("namespaces.monitoring", &stack.namespaces.monitoring), ("namespaces.logging", &stack.namespaces.logging)];
    if own[0].1 == own[1].1 {
        findings.error(
            &[own[1].0, own[0].0],
            format!("`{}` is the namespace of both monitoring and logging", own[0].1),
            "`namespaces.monitoring` and `namespaces.logging` must differ",
            "give each its own: their pods need different rights on the nodes",
        );
    }
    for (path, name) in own {
        if name.as_str() == "default" || name.as_str().starts_with("kube-") {
            findings.error(
                &[path],
                format!("`{name}` belongs to Kubernetes"),
                "expected a namespace of your own",
                "Vigil labels the namespaces it creates, and deleting the stack deletes them with all they hold",
            );
        }
    }
}

fn service(component: &str, service: &Service, findings: &mut Findings) {
    let Some(chosen) = service.r#type else { return };
    let r#type = format!("{component}.service.type");
    let unsaid = if findings.says(&r#type) { "" } else { ", which it is unless `type` says otherwise" };
    let wrong = [
        ("nodePort", ServiceType::NodePort, service.node_port.is_some()),
        ("loadBalancerIP", ServiceType::LoadBalancer, service.load_balancer_ip.is_some()),
        ("loadBalancerClass", ServiceType::LoadBalancer, service.load_balancer_class.is_some()),
        ("loadBalancerSourceRanges", ServiceType::LoadBalancer, !service.load_balancer_source_ranges.is_empty()),
    ];
    for (key, needs, set) in wrong {
        if set && chosen != needs {
            findings.error(
                &[&format!("{component}.service.{key}"), &r#type],
                format!("`{key}` has no meaning for a Service of type `{chosen:?}`{unsaid}"),
                &format!("needs `type: {needs:?}`"),
                &format!("set `{component}.service.type: {needs:?}`, or remove `{key}`"),
            );
        }
    }
    if chosen == ServiceType::NodePort && service.node_port.is_none() {
        findings.error(
            &[&r#type, &format!("{component}.service.nodePort")],
            format!("`{component}.service` has no `nodePort`"),
            "needs a port",
            "add `nodePort: 30080` or another from 30000 to 32767; a port that the cluster picks differs on every install",
        );
    }
}

fn node_ports(stack: &Stack, findings: &mut Findings) {
    let mut taken: Vec<(NodePort, &str)> = Vec::new();
    for (component, service) in services(stack) {
        let Some(port) = service.node_port else { continue };
        if let Some((_, other)) = taken.iter().find(|(number, _)| *number == port) {
            let paths = [component, other].map(|component| format!("{component}.service.nodePort"));
            let unsaid = paths.iter().find(|path| !findings.says(path));
            let help = match unsaid {
                Some(path) => format!("give it another port: `{path}` is {port} unless you say otherwise"),
                None => "give one of the two another port".to_owned(),
            };
            findings.error(
                &[&paths[0], &paths[1]],
                format!("node port {port} is taken twice"),
                &format!("by `{}` and by `{}`", paths[1], paths[0]),
                &help,
            );
        }
        taken.push((port, component));
    }
}

/// What stands at a path below a component, where everything is filled in. A limit of nothing is none.
fn limits(component: &str, path: &str, resources: &Resources, findings: &mut Findings) {
    let pairs = [
        ("cpu", &resources.requests.cpu, &resources.limits.cpu),
        ("memory", &resources.requests.memory, &resources.limits.memory),
    ];
    for (name, request, limit) in pairs {
        if let (Some(request), Some(limit)) = (request, limit)
            && limit.as_thousandths() > 0.0
            && request.as_thousandths() > limit.as_thousandths()
        {
            let [limits, requests] = ["limits", "requests"].map(|kind| format!("{path}.{kind}.{name}"));
            let [own_limits, own_requests] = [&limits, &requests].map(|path| format!("{component}.{path}"));
            findings.error(
                &[&own_limits, &limits, &own_requests, &requests],
                format!("the {name} limit `{limit}` of `{component}` is below its request `{request}`"),
                "the API server refuses the pods",
                &format!("raise `{own_limits}` or lower `{own_requests}`"),
            );
        }
    }
}

/// The containers beside the main one of the component whose pods are written at `path`; none for those of all.
fn other_containers(stack: &Stack, path: &str) -> Vec<&'static str> {
    let containers = match path {
        "flask.pods" => stack.flask.other_containers(),
        "grafana.pods" => stack.grafana.other_containers(),
        "prometheus-operator.pods" => stack.prometheus_operator.other_containers(),
        _ => Vec::new(),
    };
    containers.into_iter().map(|(name, _)| name).collect()
}

fn containers(path: &str, pods: &Pods, known: &[&str], findings: &mut Findings) {
    for name in pods.containers.keys().filter(|name| !known.contains(&name.as_str())) {
        let (message, help) = match path.strip_suffix(".pods") {
            None => (
                "`containers` says which container of which component".to_owned(),
                "write it below the `pods` of the component".to_owned(),
            ),
            Some("prometheus" | "alertmanager") => (
                format!("the operator makes the pods of `{path}`, and their containers"),
                "what the side-cars may use is `prometheus-operator.reloaderResources`".to_owned(),
            ),
            Some(component) => (
                format!("`{component}` has no container `{name}` beside its main one in this stack"),
                match known {
                    [] => format!("what its only container may use is `{path}.resources`"),
                    known => format!("there are {}; the main one's is `{path}.resources`", list(known, "and")),
                },
            ),
        };
        let label = match nearest(name.as_str(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "it would change nothing".to_owned(),
        };
        findings.error(&[&format!("{path}.containers.{name}")], message, &label, &help);
    }
}

fn tolerations(path: &str, pods: &Pods, findings: &mut Findings) {
    for (at, toleration) in pods.tolerations.iter().flatten().enumerate() {
        let (message, help) = match (toleration.effective_operator(), &toleration.key, &toleration.value) {
            (TolerationOperator::Exists, _, Some(_)) => {
                ("a toleration with `operator: Exists` has a `value`", "remove `value`, or set `operator: Equal`")
            }
            (TolerationOperator::Equal, None, _) => {
                ("a toleration with `operator: Equal` has no `key`", "add the taint's `key`, or set `operator: Exists`")
            }
            _ => continue,
        };
        findings.error(&[&format!("{path}.tolerations.{at}")], message, "the API server refuses the pods", help);
    }
}

fn flask(stack: &Stack, findings: &mut Findings) {
    let flask = &stack.flask;
    if flask.enabled && flask.ingress.enabled && !flask.service.enabled {
        findings.error(
            &["flask.service.enabled", "flask.ingress.enabled", "flask.enabled"],
            "the Ingress of `flask` has no Service to send to",
            "needs `true` while `flask.ingress.enabled` is `true`",
            "enable the Service, or set `flask.ingress.enabled: false`",
        );
    }
    if flask.enabled {
        flask_containers(flask, findings);
    }
}

fn flask_containers(flask: &Flask, findings: &mut Findings) {
    let of_nginx = [("nginxImage", flask.nginx_image.is_some()), ("nginxPort", flask.nginx_port.is_some())];
    for (key, _) in of_nginx.into_iter().filter(|(_, said)| *said && !flask.nginx) {
        findings.error(
            &[&format!("flask.{key}"), "flask.nginx"],
            format!("`flask.{key}` is of a container that is not there"),
            "`flask.nginx` is `false`",
            "remove it, or set `flask.nginx: true`",
        );
    }
    if flask.nginx && flask.port == flask.effective_nginx_port() {
        findings.error(
            &["flask.port", "flask.nginxPort"],
            format!("both containers of `flask` listen on port {}", flask.port),
            "the containers of a pod share its ports",
            "give one of them another port, or set `flask.nginx: false` for an application that needs nothing before it",
        );
    } else if flask.nginx && flask.port.get() != Flask::NGINX_PASSES_TO && flask.nginx_image.is_none() {
        findings.error(
            &["flask.port", "flask.nginx"],
            format!(
                "nginx passes everything on to port {}, and the application listens on {}",
                Flask::NGINX_PASSES_TO,
                flask.port
            ),
            "the port stands in nginx's image",
            "set `flask.nginx: false`, or `flask.nginxImage` to one that passes on to this port",
        );
    }
    for (at, folder) in flask.writable.iter().enumerate() {
        if flask.writable[..at].contains(folder) {
            findings.error(
                &[&format!("flask.writable.{at}")],
                format!("the folder `{folder}` stands twice"),
                "the API server refuses the pods",
                "remove one of the two",
            );
        }
    }
}

/// Prometheus and Alertmanager are objects that the operator makes pods of.
fn operator(stack: &Stack, findings: &mut Findings) {
    let wanted = [("prometheus", stack.prometheus.enabled), ("alertmanager", stack.alertmanager.enabled)];
    for (component, _) in wanted.into_iter().filter(|(_, enabled)| *enabled && !stack.prometheus_operator.enabled) {
        findings.error(
            &["prometheus-operator.enabled", &format!("{component}.enabled")],
            format!("nobody makes pods for `{component}`"),
            &format!("needs `true` while `{component}.enabled` is `true`"),
            &format!("enable the operator, or set `{component}.enabled: false`"),
        );
    }
}

fn prometheus(stack: &Stack, findings: &mut Findings) {
    let prometheus = &stack.prometheus;
    if !prometheus.enabled {
        return;
    }
    for (key, number) in [("replicas", prometheus.replicas), ("shards", prometheus.shards)] {
        if number.get() == 0 {
            findings.error(
                &[&format!("prometheus.{key}")],
                format!("Prometheus with no {key} stores nothing"),
                "expected 1 at least",
                "set `prometheus.enabled: false` to switch it off",
            );
        }
    }
    if prometheus.shards.get() > 1 && prometheus.remote_write.is_empty() {
        findings.warning(
            &["prometheus.shards"],
            format!("each of {} shards answers for its own targets only", prometheus.shards),
            "nothing asks them all",
            "set `prometheus.remoteWrite` to a store that holds them all, or `shards: 1`",
        );
    }
    if prometheus.scrape_interval.as_millis() == 0 {
        findings.error(
            &["prometheus.scrapeInterval"],
            "targets cannot be asked all the time",
            "expected more than 0",
            "set `scrapeInterval: 30s`",
        );
    }
    for (at, store) in prometheus.remote_write.iter().enumerate() {
        let path = format!("prometheus.remoteWrite.{at}");
        if store.basic_auth.is_some() && store.authorization.is_some() {
            findings.error(
                &[&format!("{path}.authorization")],
                "`basicAuth` and `authorization` exclude each other",
                "one of the two",
                "remove one: both would be the same header",
            );
        }
        let same =
            |other: &&crate::model::RemoteWrite| other.name == store.name && (store.name.is_some() || *other == store);
        if prometheus.remote_write[..at].iter().find(same).is_some() {
            findings.error(
                &[&path],
                "a store stands twice in `prometheus.remoteWrite`",
                "same name as one before it",
                "remove one of the two, or give each a `name` of its own",
            );
        }
    }
    let volume = &prometheus.persistence;
    if volume.enabled && volume.size.as_thousandths() / 1000.0 <= prometheus.retention_size.as_bytes() {
        findings.error(
            &["prometheus.persistence.size", "prometheus.retentionSize"],
            format!("a volume of {} is full before {} of samples are", volume.size, prometheus.retention_size),
            "expected more than `prometheus.retentionSize`",
            "leave a fifth of the volume free: Prometheus needs room to compact, and stops on a full disk",
        );
    }
    ingress("prometheus", &prometheus.ingress, prometheus.external_url.as_ref(), findings);
}

/// An Ingress hands on the path as it is, so what is behind it must live at the same path.
fn ingress(component: &str, ingress: &Ingress, external_url: Option<&Url>, findings: &mut Findings) {
    let (Some(path), Some(url)) = (&ingress.path, external_url) else { return };
    let served = if url.path().is_empty() { "/" } else { url.path() };
    if ingress.enabled && path.as_str() != served {
        findings.error(
            &[&format!("{component}.ingress.path"), &format!("{component}.externalUrl")],
            format!("`{component}` is served at `{served}`, and its Ingress answers to `{path}`"),
            &format!("expected `{served}`, the path of `{component}.externalUrl`"),
            "remove `path`: it is the path of `externalUrl` unless you say otherwise",
        );
    }
}

fn metrics_server(stack: &Stack, findings: &mut Findings) {
    let settings = &stack.metrics_server;
    let path = "metrics-server.addressTypes";
    if settings.address_types.is_empty() {
        findings.error(
            &[path],
            "metrics-server has no address to ask the kubelets at",
            "expected at least one of the types",
            "set `addressTypes: [InternalIP]`",
        );
    }
    for (at, kind) in settings.address_types.iter().enumerate() {
        if settings.address_types[..at].contains(kind) {
            findings.error(
                &[&format!("{path}.{at}")],
                format!("the address type `{kind:?}` stands twice"),
                "each counts once",
                "remove one of the two",
            );
        }
    }
    if let Some(needed) = settings.needs(&stack.kubernetes) {
        findings.warning(
            &["metrics-server.image", "kubernetes"],
            format!("this metrics-server is made for Kubernetes 1.{needed} and newer"),
            &format!("`kubernetes` is {}", stack.kubernetes),
            "leave `image` out: the one that is made for the cluster is taken",
        );
    }
    if settings.resolution.as_millis() < 10_000 {
        findings.error(
            &["metrics-server.resolution"],
            format!("the resolution `{}` is below 10s", settings.resolution),
            "metrics-server refuses to start",
            "set `resolution: 15s`",
        );
    }
}

fn logs(stack: &Stack, findings: &mut Findings) {
    let loki = &stack.loki;
    if let Some(retention) = loki.retention.as_ref().filter(|_| loki.enabled) {
        loki_retention(retention, findings);
    }
    let outdated = |tag: &str| tag.starts_with("2.") || tag.starts_with("1.");
    if loki.enabled && loki.image.tag().is_some_and(outdated) {
        findings.error(
            &["loki.image"],
            format!(
                "Loki {} cannot read the configuration that is rendered here",
                loki.image.tag().unwrap_or_default()
            ),
            "expected Loki 3",
            "use a 3.x image: its store is tsdb with schema v13, and Grafana's health check needs it",
        );
    }
    alloy(stack, findings);
    if !stack.promtail.enabled {
        return;
    }
    if !loki.enabled {
        findings.error(
            &["promtail.enabled", "loki.enabled"],
            "Promtail has no Loki to send to",
            "`promtail.enabled` is `true`, and `loki.enabled` is `false`",
            "enable Loki, or disable Promtail",
        );
    }
    findings.warning(
        &["promtail"],
        "Promtail reached its end of life on 2026-03-02",
        "no more fixes, not even for security",
        "move to Grafana Alloy, its successor: set `alloy.enabled: true` and `promtail.enabled: false`",
    );
}

fn alloy(stack: &Stack, findings: &mut Findings) {
    if !stack.alloy.enabled {
        return;
    }
    if stack.promtail.enabled {
        findings.error(
            &["promtail.enabled", "alloy.enabled", "promtail"],
            "Promtail and Alloy both carry the logs of all pods to Loki",
            "every line would be stored twice",
            "set `promtail.enabled: false`, which is `true` unless you say otherwise, or `alloy.enabled: false`",
        );
    }
    if !stack.loki.enabled {
        findings.error(
            &["alloy.enabled", "loki.enabled"],
            "Alloy has no Loki to send to",
            "`alloy.enabled` is `true`, and `loki.enabled` is `false`",
            "enable Loki, or disable Alloy",
        );
    }
}

fn argocd(stack: &Stack, findings: &mut Findings) {
    let argocd = &stack.argocd;
    if !argocd.enabled {
        return;
    }
    if argocd.repository.is_none() {
        findings.error(
            &["argocd.repository", "argocd.enabled"],
            "Argo CD has no repository to read",
            "needs `argocd.repository`",
            "set `argocd.repository` to the https URL of the repository that holds the manifests",
        );
    }
    if argocd.install == Install::Charts && !stack.values.enabled {
        findings.error(
            &["argocd.install", "values.enabled"],
            "the charts have no values files",
            "`argocd.install: charts` needs `values.enabled: true`",
            "enable the values files, or set `argocd.install: manifests`",
        );
    }
    if argocd.install == Install::Charts && stack.network_policies.enabled {
        findings.warning(
            &["network-policies.enabled", "argocd.install"],
            "Argo CD does not apply the network policies",
            "`argocd.install` is `charts`",
            "they name the pods of the plain manifests, some of which carry other labels in the charts",
        );
    }
    let own = [&stack.namespaces.monitoring, &stack.namespaces.logging];
    if own.contains(&&argocd.namespace) {
        findings.error(
            &["argocd.namespace"],
            format!("`{}` is a namespace of the stack itself", argocd.namespace),
            "expected the namespace that Argo CD runs in",
            "whoever deletes the stack would delete its own Argo CD objects with it",
        );
    }
}

fn loki_retention(retention: &Duration, findings: &mut Findings) {
    if retention.as_hours().is_none_or(|hours| hours < 24) {
        findings.error(
            &["loki.retention"],
            format!("Loki cannot keep log lines for `{retention}`"),
            "expected whole hours, 24h at least",
            "set `loki.retention: 7d` or another whole number of days; leave it empty to keep everything",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MetricsServer;
    use vigil_yaml::{Limits, Source, read_one};

    #[test]
    fn paths_overlap_where_one_lies_below_the_other() {
        for (one, other, expected) in [
            ("", "loki", true),
            ("loki", "loki", true),
            ("loki.image", "loki", true),
            ("pods.tolerations", "pods.tolerations[1].effect", true),
            ("loki", "loki-stack", false),
            ("loki.image", "loki.retention", false),
        ] {
            assert_eq!((overlap(one, other), overlap(other, one)), (expected, expected), "{one} and {other}");
        }
    }

    #[test]
    fn a_finding_stands_where_the_text_says_most() {
        let root = read_one(&Source::new("t", "a:\n  b: [x, {c: y}]\n  d:\n"), &Limits::default());
        let root = root.unwrap().unwrap();
        let findings = Findings::new(&root, &[]);
        let place = |paths: &[&str]| match findings.place(paths) {
            Place::Text(span) => format!("{span:?} {}", span.text()),
            Place::File(name) => name,
        };
        assert_eq!(place(&["a.b.1.c"]), "t:2:14 y");
        assert_eq!(place(&["a.b.0", "a"]), "t:2:7 x");
        assert_eq!(place(&["a.b"]), "t:2:3 b");
        assert_eq!(place(&["a.d"]), "t:3:3 d");
        assert_eq!(place(&["a.x", "a.b.7", "a.d"]), "t:3:3 d");
        assert_eq!(place(&["a.x"]), "t:1:1 a");
        assert_eq!(place(&["x.y"]), "t");
    }

    #[test]
    fn what_prometheus_would_refuse() {
        const STORE: &str = "{url: https://a, name: b}";
        for (text, message) in [
            (
                "prometheus-operator: {enabled: false}\nalertmanager: {enabled: false}",
                "nobody makes pods for `prometheus`",
            ),
            (
                "prometheus-operator: {enabled: false}\nprometheus: {enabled: false}",
                "nobody makes pods for `alertmanager`",
            ),
            ("prometheus: {replicas: 0}", "Prometheus with no replicas stores nothing"),
            ("prometheus: {shards: 0}", "Prometheus with no shards stores nothing"),
            ("prometheus: {scrapeInterval: \"0\"}", "targets cannot be asked all the time"),
            (
                "prometheus: {persistence: {enabled: true, size: 1Gi}}",
                "a volume of 1Gi is full before 1GiB of samples are",
            ),
            (
                "prometheus: {ingress: {enabled: true, path: /a}, externalUrl: https://b/}",
                "`prometheus` is served at `/`, and its Ingress answers to `/a`",
            ),
            (
                &format!("prometheus: {{remoteWrite: [{STORE}, {STORE}]}}"),
                "a store stands twice in `prometheus.remoteWrite`",
            ),
            (
                "prometheus: {remoteWrite: [{url: https://a, authorization: {credentials: {name: a, key: b}}, basicAuth: {username: {name: a, key: b}, password: {name: a, key: c}}}]}",
                "`basicAuth` and `authorization` exclude each other",
            ),
        ] {
            let found = Stack::parse(&Source::new("stack.yaml", text)).map(drop).unwrap_err();
            let messages: Vec<_> = found.into_iter().map(|problem| problem.message).collect();
            assert_eq!(messages, [message], "{text}");
        }
    }

    /// What is said of a stack: the messages, and whether they are errors.
    fn said(text: &str) -> Vec<(String, bool)> {
        let (problems, is_error) = match Stack::parse(&Source::new("stack.yaml", text)) {
            Ok(parsed) => (parsed.warnings, false),
            Err(problems) => (problems, true),
        };
        problems.into_iter().map(|problem| (problem.message, is_error)).collect()
    }

    #[test]
    fn containers_of_the_test_application() {
        for (flask, expected) in [
            ("nginx: false", None),
            ("nginx: false, port: 80", None),
            ("nginxImage: docker.io/a/b:1, port: 8080", None),
            ("nginxImage: docker.io/a/b:1, nginxPort: 8080", None),
            ("nginx: false, nginxPort: 8080", Some("`flask.nginxPort` is of a container that is not there")),
            (
                "nginx: false, nginxImage: docker.io/a/b:1",
                Some("`flask.nginxImage` is of a container that is not there"),
            ),
            ("port: 80", Some("both containers of `flask` listen on port 80")),
            ("nginxPort: 8001", Some("both containers of `flask` listen on port 8001")),
            ("port: 8080", Some("nginx passes everything on to port 8001, and the application listens on 8080")),
            ("writable: [/tmp, /a, /tmp]", Some("the folder `/tmp` stands twice")),
            ("enabled: false, port: 80", None),
        ] {
            let found = said(&format!("promtail: {{enabled: false}}\nflask: {{{flask}}}"));
            let expected: Vec<_> = expected.into_iter().map(|message| (message.to_owned(), true)).collect();
            assert_eq!(found, expected, "{flask}");
        }
    }

    #[test]
    fn the_metrics_server_is_one_that_is_made_for_the_cluster() {
        let said = |kubernetes: &str, image: &str| {
            said(&format!(
                "promtail: {{enabled: false}}\nkubernetes: \"{kubernetes}\"\nmetrics-server: {{image: {image}}}"
            ))
        };
        const IMAGE: &str = "registry.k8s.io/metrics-server/metrics-server";
        let warning = [("this metrics-server is made for Kubernetes 1.31 and newer".to_owned(), false)];
        for (kubernetes, tag, expected) in [
            ("1.30", "v0.8.0", &warning[..]),
            ("1.31", "v0.8.0", &[]),
            ("1.29", "v0.9.1", &warning),
            ("1.29", "v0.7.2", &[]),
            ("1.29", "custom", &[]),
        ] {
            assert_eq!(said(kubernetes, &format!("{IMAGE}:{tag}")), expected, "{kubernetes} {tag}");
        }
        for (kubernetes, tag) in [("1.29", "v0.7.2"), ("1.30", "v0.7.2"), ("1.31", "v0.8.0"), ("1.37", "v0.8.0")] {
            assert_eq!(said(kubernetes, ""), [], "{kubernetes}");
            let image = MetricsServer::default().effective_image(&kubernetes.parse().unwrap());
            assert_eq!(image.to_string(), format!("{IMAGE}:{tag}"), "{kubernetes}");
        }
    }

    #[test]
    fn containers_are_those_of_their_component() {
        for (text, expected) in [
            ("grafana: {pods: {containers: {grafana-sc-dashboard: {limits: {memory: 1Gi}}}}}", None),
            ("pods: {containers: {nginx-f: {}}}", Some("`containers` says which container of which component")),
            (
                "grafana: {pods: {containers: {grafana-sc-dashboards: {}}}}",
                Some("`grafana` has no container `grafana-sc-dashboards` beside its main one in this stack"),
            ),
            (
                "grafana: {adminSecret: {existing: a}, pods: {containers: {admin-secret: {}}}}",
                Some("`grafana` has no container `admin-secret` beside its main one in this stack"),
            ),
            (
                "prometheus: {pods: {containers: {config-reloader: {}}}}",
                Some("the operator makes the pods of `prometheus.pods`, and their containers"),
            ),
            (
                "flask: {pods: {containers: {nginx-f: {requests: {memory: 1Gi}}}}}",
                Some("the memory limit `256Mi` of `flask` is below its request `1Gi`"),
            ),
            (
                "prometheus-operator: {reloaderResources: {requests: {memory: 1Gi}}}",
                Some("the memory limit `128Mi` of `prometheus-operator` is below its request `1Gi`"),
            ),
            ("prometheus-operator: {reloaderResources: {limits: {memory: \"0\"}}}", None),
        ] {
            let found = said(&format!("promtail: {{enabled: false}}\n{text}"));
            let found = found.into_iter().map(|(message, _)| message).next();
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
