//! Certificates and keys that objects take out of Secrets and ConfigMaps.
//!
//! Source: `addTLSAssets` in `pkg/assets/tls.go` of prometheus-operator 0.87.

use crate::fields::{entries, given, text};
use crate::finding::Findings;
use crate::object::{MONITORING, Object};
use crate::objects::PEM;
use crate::pem::Part;
use crate::world::World;
use crate::world::uses::Used;
use vigil_yaml::{Node, Quoted};

/// Judges what is taken for certificates and keys.
pub(super) fn check(world: &World<'_>, findings: &mut Findings) {
    for it in world.uses.iter().filter(|it| it.of == Used::TlsSecret) {
        if let Some(secret) = world.object("", "Secret", it.namespace, it.name) {
            served(it.by, it.at, secret, findings);
        }
    }
    for object in world.set.objects.iter().filter(|object| object.group == MONITORING && !object.damaged) {
        if let Some(spec) = object.at(&["spec"]) {
            spec.visit_fields(&mut |field| {
                if field.key.text == "tlsConfig" {
                    of_operator(world, object, &field.value, findings);
                }
            });
        }
    }
}

/// A Secret that an Ingress or a Gateway shows to those who come.
fn served(by: &Object<'_>, at: &Node, secret: &Object<'_>, findings: &mut Findings) {
    let is_empty = ["data", "stringData"].iter().all(|field| entries(secret.node, *field).is_empty());
    // What is filled in later, and what a server asks for.
    if secret.damaged || is_empty || text(secret.node, "type") == Some("kubernetes.io/tls") {
        return;
    }
    for (key, part) in [("tls.crt", Part::Certificate), ("tls.key", Part::Key)] {
        if secret.has_key(key) {
            judge(secret, key, part, &format!("{by} shows it"), findings);
            continue;
        }
        findings
            .add(&PEM, by, at, format!("the Secret {} has no {}", Quoted(secret.name), Quoted(key)))
            .label(format!("expected a {} there", part.name()))
            .help(
                "a controller shows a certificate of its own, or none: `kubectl create secret tls` makes a right one",
            );
    }
}

/// A `tlsConfig` of an object of the operator.
fn of_operator(world: &World<'_>, object: &Object<'_>, tls: &Node, findings: &mut Findings) {
    let sources: [(&[&str], &str, Part); 5] = [
        (&["ca", "secret"], "Secret", Part::Certificate),
        (&["ca", "configMap"], "ConfigMap", Part::Certificate),
        (&["cert", "secret"], "Secret", Part::Certificate),
        (&["cert", "configMap"], "ConfigMap", Part::Certificate),
        (&["keySecret"], "Secret", Part::Key),
    ];
    let effect = match object.kind {
        "Prometheus" | "PrometheusAgent" | "Alertmanager" | "ThanosRuler" => {
            format!("the operator goes on with {object} no more")
        }
        _ => format!("the operator leaves out {object}"),
    };
    for (path, kind, part) in sources {
        let Some((name, key)) = given(tls, path).and_then(|it| Some((text(it, "name")?, text(it, "key")?))) else {
            continue;
        };
        if let Some(holder) = world.object("", kind, object.namespace, name).filter(|holder| !holder.damaged) {
            judge(holder, key, part, &effect, findings);
        }
    }
}

fn judge(holder: &Object<'_>, key: &str, part: Part, effect: &str, findings: &mut Findings) {
    let Some((entry, bytes)) = holder.held(key) else { return };
    if let Some(help) = part.misfit(&bytes) {
        findings
            .add(&PEM, holder, entry, format!("{} holds no {} in PEM", Quoted(key), part.name()))
            .label(part.expected())
            .help(format!("{help}; {effect}"));
    }
}
