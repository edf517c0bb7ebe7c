//! What Argo CD is told of a fleet: one ApplicationSet with a cluster a line, and the project of its Applications.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use vigil_yaml::{Problem, write};

/// A cluster whose stack is applied by Argo CD or Flux.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivered {
    /// Its name.
    pub cluster: String,
    /// The name of its ring.
    pub ring: String,
    /// What its own stack makes for them: an AppProject and an Application, or a source and a Kustomization.
    pub objects: Vec<Value>,
}

/// The file that whoever runs Argo CD applies; nothing if it applies no cluster.
///
/// # Errors
/// Clusters whose stacks do not mean one repository and one project.
pub fn argocd(clusters: &[Delivered]) -> Result<Option<String>, Vec<Problem>> {
    let mut project = Project::default();
    let mut common: Option<(&str, Value)> = None;
    let mut elements = Vec::new();
    let mut problems = Vec::new();
    for cluster in clusters {
        let of_kind = |kind: &'static str| cluster.objects.iter().filter(move |object| object["kind"] == kind);
        of_kind("AppProject").for_each(|object| project.allow(object));
        for application in of_kind("Application") {
            let Some(server) = application["spec"]["destination"]["server"].as_str() else { continue };
            elements.push(json!({"cluster": cluster.cluster, "ring": cluster.ring, "server": server}));
            let mut own = application.clone();
            own["spec"]["destination"]["server"] = Value::Null;
            match &common {
                None => common = Some((&cluster.cluster, own)),
                Some((first, common)) if *common != own => {
                    let message =
                        format!("Argo CD is told differently of the clusters `{first}` and `{}`", cluster.cluster);
                    problems.push(Problem::in_file(message, "clusters.yaml").help(
                        "one ApplicationSet makes all of them: let `argocd` differ in `destination.server` alone",
                    ));
                }
                Some(_) => {}
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (Some(project), Some((_, application))) = (project.object, common) else { return Ok(None) };
    let set = application_set(&application, &elements);
    Ok(Some(format!("# {}\n{}---\n{}", crate::HEAD, write(&project), write(&set))))
}

/// A project that allows what those of several clusters allow.
#[derive(Default)]
struct Project {
    object: Option<Value>,
    /// What it allows already, as JSON: each of a thousand clusters brings destinations of its own.
    known: HashSet<(&'static str, String)>,
}

impl Project {
    fn allow(&mut self, other: &Value) {
        let lists = ["destinations", "sourceRepos", "clusterResourceWhitelist"];
        let empty = || {
            let mut object = other.clone();
            for list in lists {
                if let Some(items) = object["spec"][list].as_array_mut() {
                    items.clear();
                }
            }
            object
        };
        let object = self.object.get_or_insert_with(empty);
        for list in lists {
            let Some(items) = object["spec"][list].as_array_mut() else { continue };
            let more = other["spec"][list].as_array().into_iter().flatten();
            items.extend(more.filter(|item| self.known.insert((list, item.to_string()))).cloned());
        }
    }
}

/// One ApplicationSet for Applications that differ in their cluster. Folders in `shared/` never change, so that the ring's and
/// the cluster's own are all that Argo CD has to look at after a commit.
fn application_set(application: &Value, elements: &[Value]) -> Value {
    let spec = &application["spec"];
    let path = spec["source"]["path"].as_str().unwrap_or_default();
    let mut metadata = Map::new();
    for key in ["name", "namespace", "labels"] {
        metadata.insert(key.to_owned(), application["metadata"][key].clone());
    }
    let name = application["metadata"]["name"].as_str().unwrap_or_default();
    let mut labels = application["metadata"]["labels"].as_object().cloned().unwrap_or_default();
    labels.insert("ring".to_owned(), "{{.ring}}".into());
    let mut template = spec.clone();
    template["destination"]["server"] = "{{.server}}".into();
    template["source"]["path"] = format!("{path}/clusters/{{{{.cluster}}}}").into();
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": metadata,
        "spec": {
            "goTemplate": true,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"list": {"elements": elements}}],
            // A cluster that is no longer in the list keeps its Application and its stack until somebody deletes them.
            "syncPolicy": {"applicationsSync": "create-update", "preserveResourcesOnDeletion": true},
            "template": {
                "metadata": {
                    "name": format!("{name}-{{{{.cluster}}}}"),
                    "labels": labels,
                    "annotations": {
                        "argocd.argoproj.io/manifest-generate-paths": format!(".;/{path}/rings/{{{{.ring}}}}"),
                    },
                },
                "spec": template,
            },
        },
    })
}
