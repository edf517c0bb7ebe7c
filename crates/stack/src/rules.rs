//! What no single value of the stack can tell: combinations that cannot work, and warnings. What holds for all parts is
//! here; what concerns one part is in the file of its name.

pub(crate) mod alertmanager;
pub(crate) mod alerts;
pub(crate) mod alloy;
pub(crate) mod argocd;
pub(crate) mod blackbox_exporter;
mod cluster_size;
pub(crate) mod flask;
pub(crate) mod flux;
pub(crate) mod grafana;
mod journal;
pub(crate) mod kube_state_metrics;
pub(crate) mod kubernetes_targets;
pub(crate) mod lab_object_storage;
mod log_pipelines;
pub(crate) mod loki;
pub(crate) mod metrics_server;
pub(crate) mod node_exporter;
mod object_storage;
mod patches;
pub(crate) mod prometheus;
pub(crate) mod prometheus_operator;
pub(crate) mod promtail;
pub(crate) mod thanos;
pub(crate) mod thanos_receive;
pub(crate) mod thanos_ruler;

use crate::findings::Findings;
use crate::model::{
    HasPods, Ingress, Namespaces, Part, Persistence, Pods, Resources, ScrapeTls, Service, ServiceType, Stack,
    TolerationOperator,
};
use crate::units::{DnsLabel, HostPort, NodePort, Url};
use serde_json::Value;
use std::collections::HashSet;
use vigil_forms::name::is_credential;
use vigil_yaml::words::{list, nearest};

pub(crate) fn check(stack: &Stack, findings: &mut Findings) {
    namespaces(stack, findings);
    cluster_size::check(&stack.cluster_size, findings);
    idle("", &serde_json::to_value(stack).unwrap_or_default(), findings);
    for (part, service) in services(stack) {
        self::service(part, &service, findings);
    }
    node_ports(stack, findings);
    for (name, part) in stack.parts() {
        if let Some(pods) = part.pods() {
            let pods = stack.pods_of(pods);
            limits(name, "pods.resources", &pods.resources, findings);
            for (container, resources) in &pods.containers {
                limits(name, &format!("pods.containers.{container}"), resources, findings);
            }
        }
        part.check(stack, findings);
    }
    for (path, pods, part) in written_pods(stack) {
        tolerations(&path, pods, findings);
        containers(&path, pods, part, findings);
    }
    object_storage::check(stack, findings);
    patches::check(&stack.patches, findings);
}

/// Settings of something that is off, and that nobody has switched off: `persistence: {size: 50Gi}` makes no volume. Whoever
/// writes `enabled: false` beside them knows.
fn idle(path: &str, value: &Value, findings: &mut Findings) {
    let Value::Object(section) = value else { return };
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    if section.get("enabled") != Some(&Value::Bool(false)) {
        section.iter().for_each(|(key, value)| idle(&below(key), value, findings));
        return;
    }
    let Some(key) = findings.keys(path).into_iter().next() else { return };
    if !findings.says(&below("enabled")) {
        findings.warning(
            &[&below(&key)],
            format!("`{path}` has no effect: it is off"),
            &format!("`{path}.enabled` is `false` unless you say otherwise"),
            "add `enabled: true` beside it, or `enabled: false` if it is meant to wait",
        );
    }
}

/// The namespace of the objects that deliver the stack, which is none of its own: which it should be, and what they are called.
fn apart(part: &str, namespace: &DnsLabel, [which, objects]: [&str; 2], stack: &Stack, findings: &mut Findings) {
    if stack.namespaces.all().contains(&namespace) {
        findings.error(
            &[&format!("{part}.namespace")],
            format!("`{namespace}` is a namespace of the stack itself"),
            &format!("expected the namespace {which}"),
            &format!("whoever deletes the stack would delete {objects} with it"),
        );
    }
}

/// The Services that people reach from outside, by part.
fn services(stack: &Stack) -> Vec<(&'static str, Service)> {
    let enabled = stack.parts().into_iter().filter(|(_, part)| part.enabled());
    enabled.filter_map(|(name, part)| Some((name, part.service()?))).collect()
}

/// The settings for pods, by the path at which they are written, and the part that they are for.
pub(crate) fn written_pods(stack: &Stack) -> Vec<(String, &Pods, Option<&dyn Part>)> {
    let mut all = vec![("pods".to_owned(), &stack.pods, None)];
    let parts = stack.parts().into_iter();
    all.extend(parts.filter_map(|(name, part)| Some((format!("{name}.pods"), part.pods()?.pods(), Some(part)))));
    all
}

fn namespaces(stack: &Stack, findings: &mut Findings) {
    let own =
        [("namespaces.monitoring", &stack.namespaces.monitoring), ("namespaces.logging", &stack.namespaces.logging)];
    let said = own.iter().filter(|(path, _)| findings.says(path)).count();
    // A profile that says both knows.
    if own[0].1 == own[1].1 && said == 1 {
        findings.error(
            &[own[1].0, own[0].0],
            format!("`{}` is the namespace of both monitoring and logging", own[0].1),
            "`namespaces.monitoring` and `namespaces.logging` are one",
            "say both if all shall be in one namespace; otherwise give each its own",
        );
    }
    let Namespaces { create, labels, annotations, .. } = &stack.namespaces;
    for (path, said) in [("namespaces.labels", !labels.is_empty()), ("namespaces.annotations", !annotations.is_empty())]
    {
        if said && !create {
            findings.error(
                &[path, "namespaces.create"],
                format!("`{path}` has no effect: somebody else creates the namespaces"),
                "`namespaces.create` is `false`",
                "remove it, or let the stack create them",
            );
        }
    }
    let agents = stack.namespaces.agents.as_ref();
    if let Some(agents) = agents
        && let Some((path, _)) = own.iter().find(|(_, name)| *name == agents)
    {
        findings.error(
            &["namespaces.agents", path],
            format!("`{agents}` is the namespace of other pods as well"),
            "expected one of its own",
            "give what runs on every node a namespace for itself, or remove `namespaces.agents`",
        );
    }
    for (path, name) in own.into_iter().chain(agents.map(|name| ("namespaces.agents", name))) {
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

/// What `containers` says of pods: of the containers that a part has beside its main one; of none for all pods together.
fn containers(path: &str, pods: &Pods, part: Option<&dyn Part>, findings: &mut Findings) {
    let known: Vec<_> = part.and_then(Part::pods).map(HasPods::other_containers).unwrap_or_default();
    let known: Vec<_> = known.into_iter().map(|(name, _)| name).collect();
    for name in pods.containers.keys().filter(|name| !known.contains(&name.as_str())) {
        let (message, help) = match path.strip_suffix(".pods").zip(part) {
            None => (
                "`containers` says which container of which component".to_owned(),
                "write it below the `pods` of the component".to_owned(),
            ),
            Some((_, part)) if part.is_operated() => (
                format!("the operator makes the pods of `{path}`, and their containers"),
                "what the side-cars may use is `prometheus-operator.reloaderResources`".to_owned(),
            ),
            Some((component, _)) => (
                format!("`{component}` has no container `{name}` beside its main one in this stack"),
                match &*known {
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

/// Two ways to log in at `path` that would both be the same header.
fn one_header(path: &str, basic_auth: bool, authorization: bool, findings: &mut Findings) {
    if basic_auth && authorization {
        findings.error(
            &[&format!("{path}.authorization")],
            "`basicAuth` and `authorization` exclude each other",
            "one of the two",
            "remove one: both would be the same header",
        );
    }
}

/// Addresses that shall be scraped and are none.
fn no_address(path: &str, targets: &[HostPort], name: &str, findings: &mut Findings) {
    if targets.is_empty() {
        findings.error(
            &[&format!("{path}.targets")],
            format!("`{name}` has nothing to scrape"),
            "expected one address at least",
            "name a host and a port, such as `db.example.com:9100`",
        );
    }
}

/// A certificate without its key, or the other way round.
fn client_certificate(path: &str, tls: &ScrapeTls, findings: &mut Findings) {
    let (has, lacks) = match (&tls.cert, &tls.key) {
        (Some(_), None) => ("cert", "key"),
        (None, Some(_)) => ("key", "cert"),
        _ => return,
    };
    findings.error(
        &[&format!("{path}.{has}")],
        format!("`{has}` without `{lacks}`"),
        "a client shows its certificate and proves it by the key",
        &format!("add `{lacks}: {{ name: …, key: … }}`, the key of a Secret, or remove `{has}`"),
    );
}

/// Items of the list at `path` that have the name of one before them. `what` they are, and the `effect`.
fn same_name<'n>(
    path: &str,
    names: impl Iterator<Item = &'n DnsLabel>,
    what: &str,
    effect: &str,
    findings: &mut Findings,
) {
    let mut before = HashSet::new();
    for (at, name) in names.enumerate() {
        if !before.insert(name.as_str()) {
            findings.error(
                &[&format!("{path}.{at}.name")],
                format!("two {what} are called `{name}`"),
                effect,
                "give each a name of its own",
            );
        }
    }
}

/// What a `config` at a path says in a program's own words: nothing that has a key of its own, given with what the program
/// calls it, and no credential.
fn in_their_words(path: &str, config: &Value, own: &[(&str, String)], secrets: &str, findings: &mut Findings) {
    for key in config.as_object().into_iter().flatten().map(|(key, _)| key) {
        let name = key.strip_suffix("_file").unwrap_or(key);
        if let Some((ours, _)) = own.iter().find(|(_, theirs)| theirs == name) {
            findings.error(
                &[&format!("{path}.config.{key}")],
                format!("`{key}` has a key of its own: `{ours}`"),
                "not for `config`",
                &format!("say it by `{ours}`"),
            );
        }
    }
    credentials(&format!("{path}.config"), config, secrets, findings);
}

/// Credentials at any depth. Where a Secret is named, none stands.
fn credentials(path: &str, value: &Value, secrets: &str, findings: &mut Findings) {
    match value {
        Value::Object(keys) => {
            for (key, value) in keys {
                let path = format!("{path}.{key}");
                if is_credential(key) && !value.is_object() {
                    findings.error(
                        &[&path],
                        format!("`{key}` is a credential"),
                        "no credential stands in a stack",
                        secrets,
                    );
                } else {
                    credentials(&path, value, secrets, findings);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                credentials(&format!("{path}.{at}"), item, secrets, findings);
            }
        }
        _ => {}
    }
}

/// Links that lead elsewhere than the Ingress.
fn host(component: &str, ingress: &Ingress, external_url: Option<&Url>, findings: &mut Findings) {
    let has_class = ingress.class_name != Ingress::default().class_name;
    gateway(component, ingress.gateway.is_some(), has_class, ingress.tls.is_some(), findings);
    if ingress.gateway.is_some() && ingress.basic_auth_secret.is_some() {
        findings.error(
            &[&format!("{component}.ingress.basicAuthSecret"), &format!("{component}.ingress.gateway")],
            "an HTTPRoute asks nobody for a password",
            "`gateway` makes an HTTPRoute",
            "remove it, and have the Gateway ask; or remove `gateway`",
        );
    }
    let (Some(host), Some(url)) = (&ingress.host, external_url) else { return };
    if ingress.enabled && !host.as_str().eq_ignore_ascii_case(url.host()) {
        findings.warning(
            &[&format!("{component}.ingress.host"), &format!("{component}.externalUrl")],
            format!("the Ingress of `{component}` answers at `{host}`, and links lead to `{}`", url.host()),
            &format!("expected the host of `{component}.externalUrl`"),
            &format!("give both one host; without `{component}.ingress.host` the Ingress answers at every host"),
        );
    }
}

/// What an HTTPRoute has not, where a Gateway is named.
fn gateway(component: &str, is_route: bool, has_class: bool, has_tls: bool, findings: &mut Findings) {
    let path = |key: &str| format!("{component}.ingress.{key}");
    let has_class = has_class && findings.says(&path("className"));
    for (key, is_said, why) in [
        ("className", has_class, "a Gateway has a class of its own"),
        ("tls", has_tls, "the Gateway has the certificate"),
    ] {
        if is_route && is_said {
            findings.error(
                &[&path(key), &path("gateway")],
                format!("`{key}` is of an Ingress, and `gateway` makes an HTTPRoute"),
                why,
                &format!("remove `{key}`, or `gateway`"),
            );
        }
    }
}

/// An Ingress hands on the path as it is, so what is behind it must live at the same path.
fn ingress(component: &str, ingress: &Ingress, external_url: Option<&Url>, findings: &mut Findings) {
    host(component, ingress, external_url, findings);
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

/// What a part keeps, and what deletes it as long as no volume outlives the pod.
struct Kept {
    /// The part's key.
    part: &'static str,
    /// As messages call it.
    name: &'static str,
    /// What a new pod starts without.
    data: &'static str,
    /// Some of the changes that make a new pod, besides what happens to nodes: of settings that stand in the pod's template
    /// or are read only when the program starts. docs/stack.md has all of them.
    changes: &'static str,
}

/// Says who reaches what has no login of its own.
fn without_login(component: &str, name: &str, service: &Service, ingress: &Ingress, findings: &mut Findings) {
    let path = |key: &str| format!("{component}.{key}");
    let help = format!(
        "`{component}.service.type: ClusterIP`, and `{component}.ingress` with a `basicAuthSecret`, ask for a password; docs/stack.md has an example"
    );
    if service.r#type != Some(ServiceType::ClusterIP) {
        findings.note(
            &[&path("service.type"), &path("service"), component],
            format!("whoever reaches the cluster from outside reaches {name}, which has no login"),
            "its Service is open to the outside",
            &help,
        );
    }
    if ingress.enabled && ingress.basic_auth_secret.is_none() && ingress.gateway.is_none() {
        findings.note(
            &[&path("ingress.enabled"), &path("ingress"), component],
            format!("whoever reaches the Ingress of {name} reaches {name}, which has no login"),
            "it asks for no password",
            &help,
        );
    }
}

/// Says that a login stands before what has one, or takes no passwords.
fn with_login(component: &str, ingress: &Ingress, why: &str, findings: &mut Findings) {
    if ingress.basic_auth_secret.is_some() {
        let path = format!("{component}.ingress.basicAuthSecret");
        findings.error(&[&path], format!("`{path}` would keep out whoever is let in"), why, "remove it");
    }
}

/// Says what is deleted with a pod, where no volume outlives it.
fn without_volume(kept: &Kept, volume: &Persistence, findings: &mut Findings) {
    let Kept { part, name, data, changes } = kept;
    if !volume.enabled {
        findings.note(
            &[&format!("{part}.persistence.enabled"), &format!("{part}.persistence"), part],
            format!("every new pod of {name} starts without {data}"),
            &format!("another {changes} makes one, or a drained node"),
            &format!("`{part}.persistence.enabled: true` keeps them"),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::Stack;
    use vigil_yaml::Source;

    fn notes(text: &str) -> Vec<String> {
        // Without what is said of alerts.
        let text = format!("{text}\nalerts: {{enabled: false}}\n");
        let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
        let of_data = parsed.notes.iter().filter(|note| note.message.starts_with("every new pod"));
        of_data.map(vigil_yaml::Problem::one_line).collect()
    }

    #[test]
    fn what_has_no_login_is_told_where_it_is_open() {
        let told = |text: &str| {
            let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
            let open = parsed.notes.iter().filter(|note| note.message.contains("has no login"));
            open.map(vigil_yaml::Problem::one_line).collect::<Vec<_>>()
        };
        let inside = "prometheus: {service: {type: ClusterIP}";
        for (text, expected) in [
            ("kubernetes: '1.33'".to_owned(), 1),
            ("prometheus: {enabled: false}\nalerts: {enabled: false}".to_owned(), 0),
            (format!("{inside}}}"), 0),
            (format!("{inside}, ingress: {{enabled: true, host: a.b}}}}"), 1),
            (format!("{inside}, ingress: {{enabled: true, host: a.b, basicAuthSecret: login}}}}"), 0),
            (format!("{inside}, ingress: {{enabled: true, host: a.b, gateway: {{name: c}}}}}}"), 0),
            (format!("{inside}}}\nalertmanager: {{service: {{type: LoadBalancer}}}}"), 1),
        ] {
            assert_eq!(told(&text).len(), expected, "{text}: {:?}", told(&text));
        }
    }

    #[test]
    fn links_lead_where_the_ingress_answers() {
        let told = |part: &str, host: &str| {
            let url = "externalUrl: 'https://metrics.example.com:8443/'";
            let text = format!("{part}: {{{url}, ingress: {{enabled: true, host: {host}}}}}");
            let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
            parsed.warnings.into_iter().map(|problem| problem.message).find(|message| message.contains("links lead"))
        };
        for part in ["prometheus", "alertmanager", "grafana"] {
            assert_eq!(told(part, "metrics.example.com"), None);
            let expected =
                format!("the Ingress of `{part}` answers at `a.example.com`, and links lead to `metrics.example.com`");
            assert_eq!(told(part, "a.example.com"), Some(expected));
        }
    }

    #[test]
    fn settings_of_what_is_off_are_told() {
        let told = |text: &str| {
            let parsed = Stack::parse(&Source::new("stack.yaml", text)).unwrap();
            let of =
                |problem: &vigil_yaml::Problem| problem.message.contains("has no effect").then(|| problem.one_line());
            parsed.warnings.iter().filter_map(of).collect::<Vec<_>>()
        };
        assert_eq!(
            told("prometheus:\n  persistence: {size: 50Gi}\n"),
            [
                "stack.yaml:2:23: `prometheus.persistence` has no effect: it is off; `prometheus.persistence.enabled` is `false` \
              unless you say otherwise; add `enabled: true` beside it, or `enabled: false` if it is meant to wait"
            ]
        );
        for (text, count) in [
            ("prometheus: {persistence: {size: 50Gi, enabled: false}}", 0),
            ("prometheus: {persistence: {size: 50Gi, enabled: true}}", 0),
            ("prometheus: {persistence: {}}", 0),
            ("grafana: {ingress: {host: grafana.example.com}}", 1),
            ("alloy: {logLevel: warn}", 1),
            // One word for the part, not one for each of its settings.
            ("blackbox-exporter: {replicas: 2, targets: [{name: a, url: 'https://a', module: http_2xx}]}", 1),
            ("loki: {enabled: false, persistence: {size: 1Gi}}\npromtail: {enabled: false}", 0),
        ] {
            assert_eq!(told(text).len(), count, "{text}");
        }
    }

    #[test]
    fn one_line_for_each_part_that_loses_data() {
        let kept = "persistence: {enabled: true}";
        assert_eq!(
            notes(&format!(
                "prometheus: {{{kept}, retentionSize: 1GiB}}\ngrafana: {{{kept}}}\nalertmanager: {{replicas: 2}}\nloki: {{}}\n"
            )),
            [
                "stack.yaml:4:1: every new pod of Loki starts without logs; another `image`, `retention`, `logLevel`, pod label \
                 or memory limit makes one, or a drained node; `loki.persistence.enabled: true` keeps them"
            ]
        );
        let starts =
            |text: &str| notes(text).iter().map(|note| note.split(' ').nth(5).unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(starts("kubernetes: '1.29'"), ["Alertmanager", "Grafana", "Loki", "Prometheus"]);
        let off = "promtail: {enabled: false}\nloki: {enabled: false}\ngrafana: {enabled: false}\nalertmanager: {enabled: false}\n";
        assert_eq!(starts(off), ["Prometheus"]);
    }

    #[test]
    fn a_route_has_nothing_of_an_ingress() {
        let found = |more: &str| {
            let text = format!("grafana: {{ingress: {{enabled: true, host: a.b, gateway: {{name: c}}{more}}}}}\n");
            let found = Stack::parse(&Source::new("stack.yaml", text)).err().unwrap_or_default();
            found.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
        };
        assert_eq!(found(""), [""; 0]);
        assert_eq!(found(", className: d"), ["`className` is of an Ingress, and `gateway` makes an HTTPRoute"]);
        assert_eq!(found(", tls: {secretName: d}"), ["`tls` is of an Ingress, and `gateway` makes an HTTPRoute"]);
        let login = "`grafana.ingress.basicAuthSecret` would keep out whoever is let in";
        assert_eq!(found(", basicAuthSecret: d"), [login, "an HTTPRoute asks nobody for a password"]);
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
            let found = Stack::parse(&Source::new("stack.yaml", format!("promtail: {{enabled: false}}\n{text}")));
            let found = found.err().into_iter().flatten().map(|problem| problem.message).next();
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
