use super::monitored::Job;
use super::workload::Workload;
use super::{Identity, image, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;
use vigil_stack::units::FolderOfContainer;

/// Ports below it only root may listen on, unless the pod lets everybody.
const FIRST_FREE_PORT: u16 = 1024;

/// The name of its Deployment.
const NAME: &str = "deploy-flask";

fn identity(stack: &Stack) -> Identity<'_> {
    let image = Some(&stack.flask.image);
    Identity { name: "flask-web-deploy", instance: "flask", component: "test-app", image }
}

pub(super) fn workloads(stack: &Stack) -> Vec<Workload> {
    vec![Workload {
        name: NAME.to_owned(),
        namespace: stack.flask.namespace.to_string(),
        selector: identity(stack).selector(),
        roles: &[],
        on_node: false,
        ports: None,
    }]
}

pub(super) fn jobs(_: &Stack) -> Vec<Job> {
    Vec::new()
}

pub(super) fn facts(stack: &Stack) -> Value {
    let flask = &stack.flask;
    let path = flask.ingress.path.as_str().trim_end_matches('/');
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
        "service": { "enabled": flask.service.enabled, "name": "flask-service", "port": 80 },
        "ingress": {
            "enabled": flask.ingress.enabled,
            "name": "flask-ingress",
            "className": flask.ingress.class_name,
            "host": flask.ingress.host,
            // The second group is what the rewrite passes on; dots of the path are no wildcards.
            "path": format!("{}(/|$)(.*)", path.replace('.', "\\.")),
            "tls": flask.ingress.tls,
        },
    });
    with(identity(stack).facts(), own)
}

/// A folder that may be written to, and the name of its volume.
fn writable((at, folder): (usize, &FolderOfContainer)) -> Value {
    let name = if folder.as_str() == "/tmp" { "tmp".to_owned() } else { format!("writable-{at}") };
    json!({ "name": name, "path": folder })
}
