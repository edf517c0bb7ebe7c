use super::workload::Workload;
use super::{Identity, image, pods, with};
use serde_json::{Value, json};
use vigil_stack::Stack;

/// gunicorn's port, fixed in the application's image.
const APP_PORT: u16 = 8001;

/// nginx's port, fixed in its image.
const NGINX_PORT: u16 = 80;

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

pub(super) fn facts(stack: &Stack) -> Value {
    let flask = &stack.flask;
    let path = flask.ingress.path.as_str().trim_end_matches('/');
    let own = json!({
        "name": NAME,
        "namespace": flask.namespace,
        "replicas": flask.replicas,
        "image": image(stack, &flask.image),
        "nginxImage": image(stack, &flask.nginx_image),
        "port": APP_PORT,
        "nginxPort": NGINX_PORT,
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
    with(identity(stack).facts(&stack.labels_of("flask")), own)
}
