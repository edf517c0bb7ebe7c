use super::monitored::{Job, monitored};
use super::reach::Reach;
use super::workload::{Peer, Port, Role, Workload};
use super::{Identity, METRICS_RELEASE, image, metrics_release, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{AdmissionWebhooks, OperatorInstances, Part as _};

/// The port with TLS, which the API server needs for webhooks, and the port without.
const HTTPS_PORT: u16 = 10250;
const HTTP_PORT: u16 = 8080;

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.prometheus_operator.image);
    Identity { name: "prometheus-operator", instance: metrics_release(stack), component: "operator", image }
}

fn name(stack: &Stack) -> String {
    format!("{}-operator", metrics_release(stack))
}

fn has_webhooks(stack: &Stack) -> bool {
    stack.prometheus_operator.admission_webhooks != AdmissionWebhooks::Off
}

fn port(stack: &Stack) -> u16 {
    if has_webhooks(stack) { HTTPS_PORT } else { HTTP_PORT }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    let mut peers = vec![Peer::Pods(Role::Scraper)];
    // The API server calls the webhooks.
    peers.extend(has_webhooks(stack).then_some(Peer::Anybody));
    let operator = Workload {
        name: name(stack),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: identity(stack).selector(),
        roles: vec![Role::Operator],
        on_node: false,
        ports: Some(vec![Port::tcp(port(stack), peers)]),
        reaches: vec![Reach::ApiServer],
    };
    let jobs = stack.prometheus_operator.admission_webhooks == AdmissionWebhooks::Job;
    [operator].into_iter().chain(jobs.then(|| admission_jobs(stack))).collect()
}

/// The pods of both Jobs, which write into the API server.
fn admission_jobs(stack: &Stack) -> Workload {
    Workload {
        name: admission(stack),
        namespace: stack.namespaces.monitoring.to_string(),
        selector: jobs_identity(stack).selector(),
        roles: Vec::new(),
        on_node: false,
        ports: Some(Vec::new()),
        reaches: vec![Reach::ApiServer],
    }
}

fn admission(stack: &Stack) -> String {
    format!("{}-admission", metrics_release(stack))
}

fn jobs_identity(stack: &Stack) -> Identity<'_> {
    Identity {
        name: "kube-webhook-certgen",
        instance: metrics_release(stack),
        component: "admission-webhook",
        image: Some(&stack.prometheus_operator.certgen_image),
    }
}

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    vec![Job::of("prometheus-operator", name(stack), stack.prometheus.enabled)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let operator = &stack.prometheus_operator;
    let webhooks = has_webhooks(stack);
    let jobs = operator.admission_webhooks == AdmissionWebhooks::Job;
    // The keys of the Secret, as cert-manager writes them or the Job.
    let [certificate, key, authority] = if jobs { ["cert", "key", "ca"] } else { ["tls.crt", "tls.key", "ca.crt"] };
    let port = port(stack);
    let scrapes_kubelets = stack.kubernetes_targets.is_in(stack) && stack.kubernetes_targets.kubelet;
    let (scheme, service_port) = if webhooks { ("https", 443) } else { ("http", port) };
    let own = json!({
        "name": name(stack),
        "namespace": stack.namespaces.monitoring,
        "image": image(stack, &operator.image),
        "configReloaderImage": image(stack, &operator.config_reloader_image),
        "thanosImage": image(stack, &operator.thanos_image),
        // What the side-cars in the pods that it makes may use.
        "configReloader": operator.effective_reloader_resources(),
        // The operator keeps the kubelets' addresses in a Service of this name, if anybody asks for them. The operators of two
        // stacks keep one: with one each, every stack would scrape every kubelet twice.
        "instances": (operator.instances == OperatorInstances::Own).then_some(&stack.namespaces.monitoring),
        "kubeletService": scrapes_kubelets.then(|| format!("kube-system/{METRICS_RELEASE}-kubelet")),
        "webhooks": webhooks,
        "admission": {
            "name": admission(stack),
            "certManager": webhooks && !jobs,
            "jobs": jobs,
            "image": image(stack, &operator.certgen_image),
            "labels": jobs_identity(stack).facts()["labels"],
            "certificate": certificate,
            "key": key,
            "authority": authority,
        },
        "web": { "scheme": scheme, "uriScheme": scheme.to_uppercase(), "port": port, "servicePort": service_port },
        "pods": pods(stack, operator, Some(1)),
    });
    with(monitored(stack, identity(stack).facts()), own)
}
