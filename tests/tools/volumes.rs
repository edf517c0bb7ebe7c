//! The charts and the stack, both with volumes and several replicas.

use serde_json::{Value, json};

/// What a stack says for it.
pub(crate) const KEYS: &str = "\
prometheus: { replicas: 2, persistence: { enabled: true, size: 20Gi } }
alertmanager: { replicas: 3, persistence: { enabled: true, size: 2Gi } }
grafana: { persistence: { enabled: true, size: 5Gi } }
loki: { persistence: { enabled: true, size: 10Gi } }
metrics-server: { replicas: 2 }
";

/// What the charts make of the values that say the same, from what they make without: as their templates have it, since
/// the charts themselves are not at hand.
pub(crate) fn of_charts(objects: &mut Vec<Value>) {
    let mut claims = Vec::new();
    for object in objects.iter_mut() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        match (object["kind"].as_str().unwrap_or_default(), name.as_str()) {
            ("Prometheus", _) => with_claims(object, 2, "20Gi"),
            ("Alertmanager", _) => with_claims(object, 3, "2Gi"),
            ("Deployment", "metrics-server") => object["spec"]["replicas"] = 2.into(),
            ("Deployment", "kube-prometheus-stack-grafana") => claims.push(grafana(object, &name)),
            ("StatefulSet", "loki-stack") => {
                without_volume(object);
                object["spec"]["volumeClaimTemplates"] =
                    json!([{ "metadata": { "name": STORAGE }, "spec": claim("10Gi") }]);
            }
            _ => {}
        }
    }
    assert_eq!(claims.len(), 1, "Grafana of the charts");
    objects.extend(claims);
}

/// What charts call the volume of Grafana and that of Loki.
const STORAGE: &str = "storage";

fn claim(size: &str) -> Value {
    json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": size } } })
}

fn with_claims(object: &mut Value, replicas: u8, size: &str) {
    object["spec"]["replicas"] = replicas.into();
    object["spec"]["storage"] = json!({ "volumeClaimTemplate": { "spec": claim(size) } });
}

/// Takes the volume that is lost with the pod out of a workload.
fn without_volume(workload: &mut Value) {
    if let Some(volumes) = workload["spec"]["template"]["spec"]["volumes"].as_array_mut() {
        volumes.retain(|volume| volume["name"] != STORAGE);
    }
}

/// Gives Grafana a claim, which is returned, and the container that hands its files to Grafana's user.
fn grafana(deployment: &mut Value, name: &str) -> Value {
    without_volume(deployment);
    let pod = &mut deployment["spec"]["template"]["spec"];
    if let Some(volumes) = pod["volumes"].as_array_mut() {
        volumes.push(json!({ "name": STORAGE, "persistentVolumeClaim": { "claimName": name } }));
    }
    pod["initContainers"] = json!([{
        "name": "init-chown-data",
        "image": "docker.io/library/busybox:1.31.1",
        "command": ["chown", "-R", "472:472", "/var/lib/grafana"],
        "securityContext": {
            "runAsNonRoot": false,
            "runAsUser": 0,
            "capabilities": { "add": ["CHOWN"], "drop": ["ALL"] },
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "volumeMounts": [{ "name": STORAGE, "mountPath": "/var/lib/grafana" }],
    }]);
    let mut metadata = deployment["metadata"].clone();
    metadata["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
    json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim("5Gi") })
}
