use super::monitored::Job;
use super::workload::Workload;
use super::{Identity, image, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::model::{Flask, FlaskIngress};
use vigil_stack::units::FolderOfContainer;

/// Ports below it only root may listen on, unless the pod lets everybody.
const FIRST_FREE_PORT: u16 = 1024;

/// The name of its Deployment.
const NAME: &str = "deploy-flask";

/// The name of its Service.
const SERVICE: &str = "flask-service";

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
    }]
}

pub(super) fn jobs(_: &Stack) -> Vec<Job> {
    Vec::new()
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
    });
    with(identity(stack).facts(), own)
}

/// The way in from outside, for the partial `ingress`.
fn ingress(flask: &Flask) -> Value {
    let FlaskIngress { enabled, class_name, host, path, tls, gateway } = &flask.ingress;
    let path = path.as_str().trim_end_matches('/');
    json!({
        "enabled": enabled,
        "name": "flask-ingress",
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
