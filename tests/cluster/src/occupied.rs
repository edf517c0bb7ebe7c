//! A cluster that brings a metrics-server of its own, as k3s and most managed clusters do.

use crate::assets::Release;
use crate::control_plane::ControlPlane;
use crate::failure::{Failure, Result};
use crate::prerequisites::{self, create};
use crate::proof::Proof;
use crate::recipe;
use crate::stacks::Rendered;
use serde_json::{Value, json};

const METHOD: &str = "\
A control plane gets the objects by which such clusters run metrics-server, under the names and with the selectors that they
give them. `just apply` looks before it applies: it stops, says why, and nothing of the stack is there. Then
`metrics-server.enabled: false`, as the message says, and `just apply` again: the cluster's own objects stay as they were. What
it saves from comes last: plain `kubectl apply -k manifests/metrics-server` over them. Under the selectors of the chart
metrics-server, which are the stack's, `just apply` takes over.";

const COLUMNS: [&str; 5] =
    ["Kubernetes", "the cluster's own", "`just apply`", "without looking", "with `metrics-server.enabled: false`"];

/// What a cluster calls its metrics-server, and how its Service finds the pods.
struct Own {
    title: &'static str,
    deployment: &'static str,
    service: &'static str,
    labels: &'static [(&'static str, &'static str)],
    /// Whether the stack's objects fit over it.
    fits: bool,
}

const CHART: &[(&str, &str)] =
    &[("app.kubernetes.io/name", "metrics-server"), ("app.kubernetes.io/instance", "metrics-server")];

#[rustfmt::skip]
const OWN: &[Own] = &[
    Own { title: "Deployment and Service `metrics-server`, `k8s-app: metrics-server`",
        deployment: "metrics-server", service: "metrics-server", labels: &[("k8s-app", "metrics-server")], fits: false },
    Own { title: "Deployment `metrics-server-v1`, Service `metrics-server`, `k8s-app: metrics-server`",
        deployment: "metrics-server-v1", service: "metrics-server", labels: &[("k8s-app", "metrics-server")], fits: false },
    Own { title: "Deployment and Service `rke2-metrics-server`",
        deployment: "rke2-metrics-server", service: "rke2-metrics-server", labels: &[("app", "rke2-metrics-server")], fits: false },
    Own { title: "those of the chart metrics-server",
        deployment: "metrics-server", service: "metrics-server", labels: CHART, fits: true },
];

const NAMESPACE: &str = "kube-system";
const API_SERVICE: &str = "/apis/apiregistration.k8s.io/v1/apiservices";

impl Own {
    fn selector(&self) -> Value {
        self.labels.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
    }

    /// The paths of its objects, and the objects.
    fn objects(&self) -> [(String, Value); 3] {
        let deployment = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": self.deployment },
            "spec": {
                "selector": { "matchLabels": self.selector() },
                "template": {
                    "metadata": { "labels": self.selector() },
                    "spec": { "containers": [{ "name": "metrics-server", "image": "registry.example.com/metrics-server:1" }] },
                },
            },
        });
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": self.service },
            "spec": { "selector": self.selector(), "ports": [{ "name": "https", "port": 443, "targetPort": 10250 }] },
        });
        let api_service = json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": { "name": "v1beta1.metrics.k8s.io" },
            "spec": {
                "group": "metrics.k8s.io",
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": true,
                "service": { "name": self.service, "namespace": NAMESPACE },
            },
        });
        [
            (format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments"), deployment),
            (format!("/api/v1/namespaces/{NAMESPACE}/services"), service),
            (API_SERVICE.to_owned(), api_service),
        ]
    }
}

pub(crate) fn prove(releases: &[Release], stacks: &[Rendered]) -> Result<Proof> {
    let mut proof = Proof::new("A cluster with a metrics-server of its own", METHOD, &COLUMNS);
    let Some(stack) = stacks.iter().find(|stack| stack.has("metrics-server")) else { return Ok(proof) };
    let without = stack.but(|stack| stack.metrics_server.enabled = false)?;
    for release in releases {
        for own in OWN {
            eprintln!("  Kubernetes {}, {}", release.version, own.title);
            let row = one(&mut proof, release, own, stack, &without)?;
            proof.row([release.version.clone(), own.title.to_owned()].into_iter().chain(row));
        }
    }
    Ok(proof)
}

fn one(proof: &mut Proof, release: &Release, own: &Own, stack: &Rendered, without: &Rendered) -> Result<[String; 3]> {
    let title = format!("Kubernetes {}, {}", release.version, own.title);
    let plane = ControlPlane::start(release)?;
    prerequisites::bring(&plane, stack)?;
    let objects = own.objects();
    for (path, object) in &objects {
        create(&plane, path, object)?;
    }
    let before = selector(&plane, own)?;
    let apply = recipe::script("apply")?;
    let said = plane.kubectl.shell(&apply, stack.directory.path())?;
    if own.fits {
        proof.expect(said.status == 0, || format!("{title}: just apply: {}", said.stderr.trim()));
        let kept = selector(&plane, own)? == before;
        proof.expect(kept, || format!("{title}: just apply changes the Service's selector"));
        return Ok(["takes over", "the same", "not tried"].map(str::to_owned));
    }
    let stopped = said.status != 0 && said.stderr.contains("metrics-server.enabled: false");
    proof.expect(stopped, || format!("{title}: just apply (exit {}): {}", said.status, said.stderr.trim()));
    let namespace = stack.objects.iter().find(|object| object.kind() == "Namespace");
    let namespace = namespace.ok_or_else(|| Failure::new(format!("{}: no Namespace", stack.name)))?.name();
    let nothing = !plane.api.is_ok(&format!("/api/v1/namespaces/{namespace}")) && selector(&plane, own)? == before;
    proof.expect(nothing, || format!("{title}: just apply stopped, and something was applied"));

    let said = plane.kubectl.shell(&apply, without.directory.path())?;
    proof.expect(said.status == 0, || format!("{title}: just apply without it: {}", said.stderr.trim()));
    let kept = selector(&plane, own)? == before;
    proof.expect(kept, || format!("{title}: without metrics-server its Service is another"));

    let path = stack.manifests().join("metrics-server").display().to_string();
    let said = plane.kubectl.run(&["apply", "-k", &path])?;
    let mut harm = Vec::new();
    if said.stderr.contains("field is immutable") {
        harm.push("the Deployment is refused, `field is immutable`".to_owned());
    }
    let after = selector(&plane, own)?;
    if after != before {
        harm.push(format!("the Service selects `{after}`, which no pod carries"));
    }
    let served = plane.api.get(&format!("{API_SERVICE}/v1beta1.metrics.k8s.io"))?.ok("the APIService")?;
    if served["spec"]["service"]["name"] != own.service {
        harm.push("the APIService leads to the stack's own".to_owned());
    }
    proof.expect(!harm.is_empty(), || format!("{title}: nothing happens to it, and just apply stops for nothing"));
    Ok(["stops, nothing applied".to_owned(), harm.join("; "), "applied, and the cluster's own as before".to_owned()])
}

/// The labels by which the cluster's own Service finds its pods.
fn selector(plane: &ControlPlane, own: &Own) -> Result<String> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/services/{}", own.service);
    let service = plane.api.get(&path)?.ok(&path)?;
    let labels = service["spec"]["selector"].as_object();
    let labels = labels.ok_or_else(|| Failure::new(format!("{path}: no selector")))?;
    Ok(labels
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect::<Vec<_>>()
        .join(","))
}
