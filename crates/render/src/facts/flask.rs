use super::monitored::{JOB_OF_NAME, Job, monitored};
use super::workload::Workload;
use super::{Identity, image, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{Flask, FlaskIngress, Part as _, SloSource};
use vigil_stack::units::FolderOfContainer;

/// Ports below it only root may listen on, unless the pod lets everybody.
const FIRST_FREE_PORT: u16 = 1024;

/// The name of its Deployment.
const NAME: &str = "deploy-flask";

/// The name of its Service.
const SERVICE: &str = "flask-service";

/// The name of its Ingress or HTTPRoute.
const ENTRANCE: &str = "flask-ingress";

/// The port of its Service.
const PORT: u16 = 80;

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.flask.image);
    Identity { name: "flask-web-deploy", instance: "flask", component: "test-app", image }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    vec![Workload {
        name: NAME.to_owned(),
        namespace: stack.flask.namespace.to_string(),
        selector: identity(stack).selector(),
        roles: Vec::new(),
        on_node: false,
        ports: None,
        reaches: Vec::new(),
    }]
}

/// Pods that count requests, by what their charts call them.
struct Counter {
    /// The name of their application, which is the `job` of their metrics.
    job: &'static str,
    component: &'static str,
    /// The namespace in which the chart is usually installed.
    namespace: &'static str,
    path: &'static str,
    /// The metrics that rules read.
    metrics: &'static str,
    /// The label that tells whose requests they are.
    of: &'static str,
}

const INGRESS_NGINX: Counter = Counter {
    job: "ingress-nginx",
    component: "controller",
    namespace: "ingress-nginx",
    path: "/metrics",
    metrics: "nginx_ingress_controller_(requests|request_duration_seconds_(bucket|count))",
    of: "ingress",
};

const ENVOY_GATEWAY: Counter = Counter {
    job: "envoy",
    component: "proxy",
    namespace: "envoy-gateway-system",
    path: "/stats/prometheus",
    metrics: "envoy_cluster_upstream_rq_(xx|time_bucket|time_count)",
    of: "envoy_cluster_name",
};

impl Counter {
    /// Keeps of its samples those about the requests to the test application, with the application's namespace: the rest is of
    /// others, or answers other questions.
    fn relabelings(&self, namespace: &str) -> Value {
        let route = format!("httproute/({namespace})/{ENTRANCE}/.+");
        let of_route = self.of == ENVOY_GATEWAY.of;
        let of = if of_route { route.as_str() } else { ENTRANCE };
        let kept = json!({
            "sourceLabels": ["__name__", self.of], "regex": format!("{};{of}", self.metrics), "action": "keep",
        });
        let named = json!({
            "sourceLabels": [self.of], "regex": route, "targetLabel": "namespace", "replacement": "$1", "action": "replace",
        });
        json!([Some(kept), of_route.then_some(named)].into_iter().flatten().collect::<Vec<_>>())
    }
}

/// Who has metrics of the requests to it, if anybody does.
fn counter(stack: &Stack) -> Option<Counter> {
    match stack.flask.slo.source.filter(|_| stack.alerts.is_in(stack))? {
        SloSource::Ingress => Some(INGRESS_NGINX),
        SloSource::Gateway => Some(ENVOY_GATEWAY),
        SloSource::AccessLog => None,
    }
}

/// The container whose log tells of its requests.
const LOGGING: &str = "nginx-f";

pub(super) fn jobs(stack: &Stack) -> Vec<Job> {
    let job = counter(stack).map(|counter| counter.job);
    let of = |counter: Counter| Job::of(counter.job, counter.job, job == Some(counter.job));
    let logs = stack.flask.slo.source == Some(SloSource::AccessLog);
    vec![of(INGRESS_NGINX), of(ENVOY_GATEWAY), Job::of("access-log", LOGGING, logs)]
}

pub(super) fn facts(stack: &Stack) -> Value {
    let flask = &stack.flask;
    let own = json!({
        "name": NAME,
        "namespace": flask.namespace,
        "replicas": flask.replicas,
        "image": image(stack, &flask.image),
        "port": flask.port,
        // What the Service leads to is called `http`, and it is one container of the two.
        "portName": if flask.nginx { "gunicorn" } else { "http" },
        "args": flask.args,
        "healthPath": flask.health_path,
        "root": flask.run_as_user.get() == 0,
        "user": flask.run_as_user,
        "anyPort": flask.run_as_user.get() != 0 && flask.port.get() < FIRST_FREE_PORT,
        "writable": flask.writable.iter().enumerate().map(writable).collect::<Vec<_>>(),
        "nginx": flask.nginx,
        "volumes": flask.nginx || !flask.writable.is_empty(),
        "nginxImage": image(stack, &flask.effective_nginx_image()),
        "nginxPort": flask.effective_nginx_port(),
        "pods": pods(stack, flask, Some(flask.replicas.get())),
        "service": { "enabled": flask.service.enabled, "name": SERVICE, "port": PORT },
        "ingress": ingress(flask),
        "counter": counter(stack).map(|counter| json!({
            "name": format!("{NAME}-requests"),
            "namespace": stack.namespaces.monitoring,
            "jobLabel": JOB_OF_NAME,
            "selector": { JOB_OF_NAME: counter.job, "app.kubernetes.io/component": counter.component },
            "path": counter.path,
            "relabelings": counter.relabelings(flask.namespace.as_str()),
            "podNamespace": flask.slo.namespace.as_ref().map_or(counter.namespace, |namespace| namespace.as_str()),
        })),
    });
    with(monitored(stack, identity(stack).facts()), own)
}

/// The way in from outside, for the partial `ingress`.
fn ingress(flask: &Flask) -> Value {
    let FlaskIngress { enabled, class_name, host, path, tls, gateway } = &flask.ingress;
    let path = path.as_str().trim_end_matches('/');
    json!({
        "enabled": enabled,
        "name": ENTRANCE,
        "namespace": flask.namespace,
        "className": class_name,
        "host": host,
        "path": if path.is_empty() { "/" } else { path },
        // The second group is what the rewrite passes on; dots of the path are no wildcards.
        "pattern": format!("{}(/|$)(.*)", path.replace('.', "\\.")),
        "tls": tls,
        "gateway": gateway,
        "service": { "name": SERVICE, "port": { "number": PORT }, "number": PORT },
    })
}

/// A folder that may be written to, and the name of its volume.
fn writable((at, folder): (usize, &FolderOfContainer)) -> Value {
    let name = if folder.as_str() == "/tmp" { "tmp".to_owned() } else { format!("writable-{at}") };
    json!({ "name": name, "path": folder })
}
