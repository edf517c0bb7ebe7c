use super::{Failure, Outcome, Selection};
use crate::terminal::Terminal;
use std::collections::BTreeSet;
use vigil_render::Object;

/// Print every image that the stack runs
///
/// One per line, sorted, each once: what a mirror must hold, and what a scanner shall look at.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vigil images
  vigil images --stack stacks/minimal.yaml | xargs -n1 crane digest")]
pub(crate) struct Arguments {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome, Failure> {
    let rendered = arguments.selection.render().map_err(|problems| Failure::new(problems, "no image was listed"))?;
    terminal.warn(&rendered.parsed.warnings);
    let objects = &rendered.rendering.objects;
    let made: BTreeSet<&str> = objects.iter().flat_map(made_of).collect();
    let images: BTreeSet<_> = objects.iter().flat_map(|object| images(object, &made)).collect();
    // One more, and empty, so that the last line ends as well.
    let lines: Vec<_> = images.into_iter().chain([""]).collect();
    terminal.product(&lines.join("\n"))?;
    Ok(Outcome::Clean)
}

/// Arguments of the operator that name images of the pods it makes.
const ARGUMENTS: [&str; 2] = [RELOADER, THANOS];
const RELOADER: &str = "--prometheus-config-reloader=";
const THANOS: &str = "--thanos-default-base-image=";

/// The arguments whose images are in the pods that the operator makes of an object.
fn made_of(object: &Object) -> Vec<&'static str> {
    if !object.api_version().starts_with("monitoring.coreos.com/") {
        return Vec::new();
    }
    match object.kind() {
        "Prometheus" if object.value["spec"].get("thanos").is_some_and(|thanos| thanos["image"].is_null()) => {
            vec![RELOADER, THANOS]
        }
        "Alertmanager" | "Prometheus" | "PrometheusAgent" => vec![RELOADER],
        "ThanosRuler" => vec![RELOADER, THANOS],
        _ => Vec::new(),
    }
}

/// The images of one object: those of its containers, and that of the pods which the operator makes from it. Of its arguments
/// those count that something is `made` with.
fn images<'o>(object: &'o Object, made: &BTreeSet<&str>) -> Vec<&'o str> {
    // A definition runs nothing, and is not parsed for it.
    if object.kind() == "CustomResourceDefinition" {
        return Vec::new();
    }
    let mut found = Vec::new();
    let spec = &object.value["spec"];
    // A pod's own, of a template, of a CronJob's template.
    for pod in ["", "/template/spec", "/jobTemplate/spec/template/spec"] {
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            let containers = spec.pointer(&format!("{pod}/{list}")).and_then(serde_json::Value::as_array);
            for container in containers.into_iter().flatten() {
                found.extend(container["image"].as_str());
                for argument in container["args"].as_array().into_iter().flatten().filter_map(|text| text.as_str()) {
                    let used = ARGUMENTS.iter().filter(|name| made.contains(**name));
                    found.extend(used.filter_map(|name| argument.strip_prefix(name)));
                }
            }
        }
    }
    if object.api_version().starts_with("monitoring.coreos.com/") {
        found.extend(["/image", "/thanos/image"].iter().filter_map(|at| spec.pointer(at)).filter_map(|at| at.as_str()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wherever_an_image_stands() {
        let object = |version: &str, spec| Object {
            component: "x",
            path: String::new(),
            template: String::new(),
            value: json!({ "apiVersion": version, "kind": "X", "spec": spec }).into(),
            patches: Vec::new(),
        };
        let all = BTreeSet::from(ARGUMENTS);
        let images = |object: &Object| images(object, &all).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let pod = json!({
            "initContainers": [{ "image": "a:1" }],
            "containers": [
                { "image": "b:1", "args": ["--prometheus-config-reloader=c:1", "--thanos-default-base-image=d:1", "--x=e:1"] },
                { "name": "none" },
            ],
        });
        let expected = ["b:1", "c:1", "d:1", "a:1"];
        assert_eq!(images(&object("v1", pod.clone())), expected);
        assert_eq!(images(&object("apps/v1", json!({ "template": { "spec": pod.clone() } }))), expected);
        let job = json!({ "jobTemplate": { "spec": { "template": { "spec": pod } } } });
        assert_eq!(images(&object("batch/v1", job)), expected);
        let made = json!({ "image": "f:1", "thanos": { "image": "g:1" }, "containers": [{ "image": "h:1" }] });
        assert_eq!(images(&object("monitoring.coreos.com/v1", made.clone())), ["h:1", "f:1", "g:1"]);
        assert_eq!(images(&object("example.com/v1", made)), ["h:1"]);
    }
}
