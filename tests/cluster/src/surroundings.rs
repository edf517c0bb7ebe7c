//! What others in a cluster do with the objects of a stack, as far as the API tells of it: nodes run pods, volumes are
//! found, certificates issued. Nobody gives addresses to Services and Ingresses.

use crate::control_plane::ControlPlane;
use crate::controllers::{account, credentials, issue, start_operator};
use crate::failure::Result;
use crate::kubectl::Kubectl;
use crate::nodes;
use crate::prerequisites::{CERT_MANAGER, create};
use crate::process::Process;
use crate::stacks::Rendered;
use serde_json::{Value, json};

/// The two kinds of webhook configuration.
const WEBHOOKS: [&str; 2] = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];

/// All of them. They act when [`Self::turn`] is called.
pub(crate) struct Surroundings<'a> {
    plane: &'a ControlPlane,
    stack: &'a Rendered,
    addresses: u16,
    operator: Option<Process>,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn of(plane: &'a ControlPlane, stack: &'a Rendered) -> Self {
        Self { plane, stack, addresses: 0, operator: None }
    }

    /// Does what is to be done now.
    pub(crate) fn turn(&mut self) -> Result<()> {
        self.pods()?;
        self.volumes()?;
        if self.stack.has_group(CERT_MANAGER) {
            self.certificates()?;
        }
        self.operator()
    }

    fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut list = self.plane.api.get(path)?.ok(path)?;
        Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }

    fn pods(&mut self) -> Result<()> {
        for pod in self.list("/api/v1/pods")? {
            // Whoever is gone by now is not there at the next turn.
            let _ = match (pod["metadata"].get("deletionTimestamp"), pod["status"]["phase"].as_str()) {
                (Some(_), _) => nodes::end(self.plane, &pod),
                (None, Some("Pending")) => {
                    self.addresses += 1;
                    let [high, low] = self.addresses.to_be_bytes();
                    nodes::run(self.plane, &pod, &format!("198.18.{high}.{low}")).map(drop)
                }
                (None, Some("Running")) if pod["metadata"]["ownerReferences"][0]["kind"] == "Job" => self.job(&pod),
                _ => Ok(()),
            };
        }
        Ok(())
    }

    /// Does what a Job of the admission webhooks does, with its rights.
    fn job(&self, pod: &Value) -> Result<()> {
        let text = |pointer| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let arguments = pod.pointer("/spec/containers/0/args").and_then(Value::as_array);
        let arguments: Vec<_> = arguments.into_iter().flatten().filter_map(Value::as_str).collect();
        let value = |flag: &str| arguments.iter().find_map(|argument| argument.strip_prefix(flag)).unwrap_or_default();
        let (namespace, secret) = (value("--namespace="), value("--secret-name="));
        let account = text("/spec/serviceAccountName");
        let kubectl = self.plane.kubectl.with(self.plane.kubeconfig_of(text("/metadata/namespace"), account)?);
        let there = kubectl.run(&["get", "secret", secret, "--namespace", namespace, "--output", "json"])?;
        match (arguments.first(), there.status) {
            (Some(&"create"), 0) => {}
            (Some(&"create"), _) => {
                let [certificate, key] = self.plane.serving_certificate();
                let file = |name: &str, path: &std::path::Path| format!("--from-file={name}={}", path.display());
                let files = [file("ca", &self.plane.authority()), file("cert", &certificate), file("key", &key)];
                let create = ["create", "secret", "generic", secret, "--namespace", namespace];
                kubectl.run(&[&create, files.each_ref().map(String::as_str).as_slice()].concat())?.ok("its Secret")?;
            }
            // Like its program it fails until the Secret is there, and is started again.
            (_, 0) => {
                let secret: Value = serde_json::from_str(&there.stdout).unwrap_or_default();
                let authority = secret["data"]["ca"].as_str().unwrap_or_default();
                for kind in WEBHOOKS {
                    trust(&kubectl, kind, value("--webhook-name="), authority)?;
                }
            }
            _ => return Ok(()),
        }
        nodes::succeed(self.plane, pod)
    }

    /// Gives every claim its volume; the controllers bind the two.
    fn volumes(&self) -> Result<()> {
        for claim in self.list("/api/v1/persistentvolumeclaims")? {
            if claim["status"]["phase"] != "Pending" || !claim["spec"]["volumeName"].is_null() {
                continue;
            }
            let (metadata, spec) = (&claim["metadata"], &claim["spec"]);
            let volume = json!({
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": { "name": metadata["uid"] },
                "spec": {
                    "accessModes": spec["accessModes"],
                    "capacity": spec["resources"]["requests"],
                    "storageClassName": spec.get("storageClassName").unwrap_or(&json!("")),
                    "claimRef": {
                        "apiVersion": "v1",
                        "kind": "PersistentVolumeClaim",
                        "namespace": metadata["namespace"],
                        "name": metadata["name"],
                        "uid": metadata["uid"],
                    },
                    "hostPath": { "path": "/nowhere" },
                },
            });
            create(self.plane, "/api/v1/persistentvolumes", &volume)?;
        }
        Ok(())
    }

    /// Does as cert-manager: an issuer is ready, a certificate gets its Secret, and webhooks trust who signed it.
    fn certificates(&self) -> Result<()> {
        let ready = json!({ "status": { "conditions": [{ "type": "Ready", "status": "True", "reason": "Played" }] } });
        for kind in ["issuers", "certificates"] {
            let path = format!("/apis/cert-manager.io/v1/{kind}");
            for object in self.list(&path)? {
                if object["status"]["conditions"].is_null() {
                    issue(self.plane, self.stack)?;
                    self.report(&path, &object, &ready)?;
                }
            }
        }
        for kind in WEBHOOKS {
            for object in self.list(&format!("/apis/admissionregistration.k8s.io/v1/{kind}"))? {
                let from = object.pointer("/metadata/annotations/cert-manager.io~1inject-ca-from");
                let from = from.and_then(Value::as_str).and_then(|from| from.split_once('/'));
                let (Some((namespace, certificate)), Some(name)) = (from, object["metadata"]["name"].as_str()) else {
                    continue;
                };
                let webhooks = object["webhooks"].as_array().into_iter().flatten();
                if webhooks.clone().all(|webhook| webhook["clientConfig"].get("caBundle").is_some()) {
                    continue;
                }
                let secret = self.stack.objects.iter().find(|object| {
                    (object.kind(), object.namespace(), object.name()) == ("Certificate", namespace, certificate)
                });
                let secret = secret.and_then(|object| object.value.pointer("/spec/secretName")?.as_str());
                let path = format!("/api/v1/namespaces/{namespace}/secrets/{}", secret.unwrap_or_default());
                let secret = self.plane.api.get(&path)?;
                // Its turn comes when the certificate's has been.
                if secret.status == 200 {
                    let authority = secret.json()?["data"]["ca.crt"].as_str().unwrap_or_default().to_owned();
                    trust(&self.plane.kubectl, kind, name, &authority)?;
                }
            }
        }
        Ok(())
    }

    /// Starts prometheus-operator, the program, once its rights are there.
    fn operator(&mut self) -> Result<()> {
        if self.operator.is_some() || !self.stack.has("prometheus-operator") {
            return Ok(());
        }
        let deployment = self.stack.object("prometheus-operator", "Deployment")?;
        let (namespace, name) = (deployment.namespace(), deployment.name());
        let wanted = [
            format!("/api/v1/namespaces/{namespace}/serviceaccounts/{}", account(deployment)?),
            format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"),
        ];
        if wanted.iter().all(|path| self.plane.api.is_ok(path)) {
            credentials(self.plane, self.stack)?;
            self.operator = Some(start_operator(self.plane, self.stack)?);
        }
        Ok(())
    }

    fn report(&self, kind: &str, object: &Value, status: &Value) -> Result<()> {
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
        let (group, kind) = kind.rsplit_once('/').unwrap_or_default();
        let path = format!("{group}/namespaces/{}/{kind}/{}/status", text("namespace"), text("name"));
        let answer = self.plane.api.send("PATCH", &path, "application/merge-patch+json", &status.to_string())?;
        if answer.status == 404 { Ok(()) } else { answer.ok(&path).map(drop) }
    }
}

/// Writes who is to be trusted into all webhooks of a configuration, and replaces it, as its writers do.
fn trust(kubectl: &Kubectl, kind: &str, name: &str, authority: &str) -> Result<()> {
    let text = kubectl.run(&["get", kind, name, "--output", "json"])?.ok(name)?;
    let config: Value = serde_json::from_str(&text).unwrap_or_default();
    let count = config["webhooks"].as_array().map_or(0, Vec::len);
    let of =
        |index| json!({ "op": "add", "path": format!("/webhooks/{index}/clientConfig/caBundle"), "value": authority });
    let patch = (0..count).map(of).collect::<Value>().to_string();
    kubectl.run(&["patch", kind, name, "--type", "json", "--patch", &patch])?.ok(name).map(drop)
}
