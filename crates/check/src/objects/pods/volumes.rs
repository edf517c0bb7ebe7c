//! Volumes of pods: their names, and what each source of them asks for.

use super::super::judge::{Judge, LABEL};
use super::super::{claims, metadata, selectors};
use super::env::file;
use super::pod::Pod;
use crate::fields::{amount, filled, given, items, written};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::name;
use vigil_yaml::words::list;
use vigil_yaml::{Entry, Node, Quoted};

rules! {
    VOLUME "pod-volume" Error Server "every volume of a pod has a unique name and exactly one source"
}

/// The largest mode of a file.
const LARGEST_MODE: i64 = 0o777;
/// The least time for which a token may be asked for, and the most.
const TOKEN_SECONDS: (i64, i64) = (600, 1 << 32);
/// What a projected volume can be made of.
const PROJECTIONS: [&str; 6] =
    ["clusterTrustBundle", "configMap", "downwardAPI", "podCertificate", "secret", "serviceAccountToken"];

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>) {
    let mut names = HashSet::new();
    let claimed = pod.volumes.len()
        - pod.template.volumes().iter().filter(|node| node.get("name").and_then(Node::text).is_some()).count();
    let claimed: Vec<&str> = pod.volumes[..claimed].iter().map(|(name, _)| *name).collect();
    for volume in pod.template.volumes() {
        if let Some(node) = volume.get("name")
            && let Some(name) = node.text()
        {
            // What a StatefulSet claims takes the place of a volume of that name.
            if claimed.contains(&name) {
                continue;
            }
            if !name::is_dns1123_label(name) {
                judge.add(&VOLUME, node, format!("{} is no name for a volume", Quoted(name))).label(LABEL);
            } else if !names.insert(name) {
                judge
                    .add(&VOLUME, node, format!("an earlier volume is called {}", Quoted(name)))
                    .help("give it another name");
            }
        }
        let sources: Vec<&Entry> =
            volume.entries().iter().filter(|entry| entry.key.text != "name" && !entry.value.is_null()).collect();
        if let [_, second, ..] = sources.as_slice() {
            let keys: Vec<&str> = sources.iter().map(|entry| entry.key.text.as_str()).collect();
            judge
                .add(&VOLUME, *second, format!("a volume of {} at once", list(&keys, "and")))
                .label("expected one source")
                .help("is it indented as deep as the fields of the first?");
        }
        for entry in sources {
            source(judge, &entry.key.text, &entry.value);
        }
    }
}

fn source(judge: &mut Judge<'_, '_>, kind: &str, source: &Node) {
    match kind {
        "configMap" | "secret" => {
            judge.required(&VOLUME, source, if kind == "secret" { "secretName" } else { "name" });
            mode(judge, source, "defaultMode", LARGEST_MODE);
            files(judge, source, None);
        }
        "downwardAPI" => {
            mode(judge, source, "defaultMode", LARGEST_MODE);
            facts(judge, source, None);
        }
        "projected" => projected(judge, source),
        "emptyDir" => {
            if let Some(node) = source.get("sizeLimit").filter(|node| amount(node).is_some_and(|amount| amount < 0)) {
                judge.add(&VOLUME, node, "a size below zero");
            }
            mode(judge, source, "mode", 0o1777);
            let medium =
                filled(source, "medium").filter(|(_, text)| *text != "Memory" && !text.starts_with("HugePages"));
            if let Some((node, text)) = medium {
                judge
                    .add(&VOLUME, node, format!("nodes have no medium {}", Quoted(text)))
                    .label("expected `Memory` or `HugePages-…`, or nothing for the node's disk");
            }
        }
        "hostPath" => {
            judge.required(&VOLUME, source, "path");
            if let Some((node, path)) = filled(source, "path").filter(|(_, path)| name::goes_up(path)) {
                judge.add(&VOLUME, node, format!("{} goes up", Quoted(path))).label("expected a path without `..`");
            }
            let types =
                ["BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
            judge.one_of(&VOLUME, source.get("type"), &types);
        }
        "persistentVolumeClaim" => judge.required(&VOLUME, source, "claimName"),
        "nfs" => {
            judge.required(&VOLUME, source, "server");
            judge.required(&VOLUME, source, "path");
            if let Some((node, path)) = filled(source, "path").filter(|(_, path)| !path.starts_with('/')) {
                judge
                    .add(&VOLUME, node, format!("{} is no absolute path", Quoted(path)))
                    .label("expected one that begins with `/`");
            }
        }
        "csi" => csi(judge, source),
        "ephemeral" => ephemeral(judge, source),
        "image" => {
            judge.one_of(&VOLUME, source.get("pullPolicy"), &["Always", "IfNotPresent", "Never"]);
            // That of a template may be set later.
            if judge.object.kind == "Pod" {
                judge.required(&VOLUME, source, "reference");
            }
        }
        _ => {}
    }
}

/// A volume of a driver of the Container Storage Interface.
fn csi(judge: &mut Judge<'_, '_>, source: &Node) {
    judge.required(&VOLUME, source, "driver");
    if let Some((node, driver)) = filled(source, "driver")
        .filter(|(_, driver)| driver.len() > 63 || !name::is_dns1123_subdomain(&driver.to_ascii_lowercase()))
    {
        judge
            .add(&VOLUME, node, format!("{} is no name of a driver", Quoted(driver)))
            .label("expected a domain of at most 63 characters");
    }
    if let Some(reference) = given(source, "nodePublishSecretRef") {
        judge.required(&VOLUME, reference, "name");
    }
}

/// A claim that is made for each pod, and that goes with it.
fn ephemeral(judge: &mut Judge<'_, '_>, source: &Node) {
    match given(source, "volumeClaimTemplate") {
        None => judge.required(&VOLUME, source, "volumeClaimTemplate"),
        Some(template) => {
            if let Some(metadata) = given(template, "metadata") {
                metadata::described(judge, metadata);
                for entry in metadata.entries().iter().filter(|entry| !entry.value.is_null()) {
                    if !matches!(entry.key.text.as_str(), "labels" | "annotations" | "creationTimestamp") {
                        judge
                            .add(&VOLUME, entry, format!("`{}` of a claim that the pod names", entry.key.text))
                            .label("expected `labels` and `annotations` only");
                    }
                }
            }
            claims::check(judge, template);
        }
    }
}

/// The mode of a file, which YAML reads as octal if it begins with a zero.
fn mode(judge: &mut Judge<'_, '_>, node: &Node, key: &str, most: i64) {
    let Some((value, number)) = node.get(key).and_then(|value| Some((value, value.integer()?))) else { return };
    if (0..=most).contains(&number) {
        return;
    }
    let text = written(value);
    let finding = judge.add(&VOLUME, value, format!("{} is no mode of a file", Quoted(text)));
    finding.label(format!("expected 0 to 0{most:o}, which is {most}"));
    if i64::from_str_radix(text, 8).is_ok_and(|octal| (0..=most).contains(&octal)) {
        finding.help(format!("write `0{text}`"));
    }
}

/// The files of a volume so far, where several sources must not have the same.
type Paths<'p, 'n> = Option<&'p mut HashSet<&'n str>>;

/// Files that are keys of a ConfigMap or Secret.
fn files<'n>(judge: &mut Judge<'_, '_>, source: &'n Node, mut paths: Paths<'_, 'n>) {
    for item in items(source, "items") {
        for key in ["key", "path"] {
            judge.required(&VOLUME, item, key);
        }
        mode(judge, item, "mode", LARGEST_MODE);
        path(judge, item, "path", paths.as_deref_mut());
    }
}

/// Files that tell of the pod.
fn facts<'n>(judge: &mut Judge<'_, '_>, source: &'n Node, mut paths: Paths<'_, 'n>) {
    for item in items(source, "items") {
        judge.required(&VOLUME, item, "path");
        mode(judge, item, "mode", LARGEST_MODE);
        path(judge, item, "path", paths.as_deref_mut());
        file(judge, item);
    }
}

/// A path inside of a volume.
fn path<'n>(judge: &mut Judge<'_, '_>, item: &'n Node, key: &str, paths: Paths<'_, 'n>) {
    let Some((node, text)) = filled(item, key) else { return };
    if text.starts_with("..") && !name::goes_up(text) {
        judge
            .add(&VOLUME, node, format!("{} begins with `..`", Quoted(text)))
            .label("expected another beginning: such names are the kubelet's own");
    } else {
        judge.descending(&VOLUME, node);
    }
    if paths.is_some_and(|paths| !paths.insert(text)) {
        judge
            .add(&VOLUME, node, format!("an earlier file is {} too", Quoted(text)))
            .help("files of a volume need paths of their own");
    }
}

fn projected(judge: &mut Judge<'_, '_>, source: &Node) {
    mode(judge, source, "defaultMode", LARGEST_MODE);
    let mut seen = HashSet::new();
    for part in items(source, "sources") {
        let found: Vec<&str> = PROJECTIONS.into_iter().filter(|key| given(part, key).is_some()).collect();
        if found.len() > 1 {
            judge
                .add(&VOLUME, part, format!("a source of {} at once", list(&found, "and")))
                .help("put `- ` before each of them");
        }
        for reference in ["configMap", "secret"].into_iter().filter_map(|key| given(part, key)) {
            judge.required(&VOLUME, reference, "name");
            files(judge, reference, Some(&mut seen));
        }
        if let Some(downward) = given(part, "downwardAPI") {
            facts(judge, downward, Some(&mut seen));
        }
        if let Some(token) = given(part, "serviceAccountToken") {
            judge.required(&VOLUME, token, "path");
            judge.range(&VOLUME, token.get("expirationSeconds"), TOKEN_SECONDS.0..=TOKEN_SECONDS.1);
            path(judge, token, "path", None);
        }
        if let Some(bundle) = given(part, "clusterTrustBundle") {
            trust(judge, bundle, &mut seen);
        }
        if let Some(certificate) = given(part, "podCertificate") {
            let kinds = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
            judge.one_of(&VOLUME, certificate.get("keyType"), &kinds);
        }
    }
}

fn trust<'n>(judge: &mut Judge<'_, '_>, bundle: &'n Node, paths: &mut HashSet<&'n str>) {
    judge.required(&VOLUME, bundle, "path");
    path(judge, bundle, "path", Some(paths));
    let [name, signer] = ["name", "signerName"].map(|key| given(bundle, key).is_some());
    if name == signer {
        judge
            .add(&VOLUME, bundle, if name { "a bundle by name and by signer" } else { "a bundle of nobody" })
            .label("expected `name` or `signerName`");
    }
    if let Some(selector) = given(bundle, "labelSelector") {
        selectors::selector(judge, selector);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken_in, holds_in};
    use super::VOLUME;

    fn judged(volume: &str, times: usize) {
        broken_in(
            &format!("{{volumes: [{{name: a, {volume}}}], containers: [{{name: a, image: a}}]}}"),
            &VOLUME,
            times,
        );
    }

    #[test]
    fn names_and_sources() {
        holds_in(
            "{volumes: [{name: a}, {name: b, emptyDir: , secret: {secretName: a}}], containers: [{name: a, image: a}]}",
            &VOLUME,
        );
        broken_in("{volumes: [{name: a}, {name: a}, {name: a.b}], containers: [{name: a, image: a}]}", &VOLUME, 2);
        judged("emptyDir: {}, hostPath: {path: /a}", 1);
        judged("emptyDir: {sizeLimit: -1, medium: memory}", 2);
        judged("emptyDir: {medium: HugePages-2Mi}", 0);
        judged("hostPath: {path: /a/../b, type: dir}", 2);
        judged("hostPath: {path: '', type: ''}", 1);
        judged("persistentVolumeClaim: {claimName: ''}", 1);
        judged("nfs: {server: a, path: b}", 1);
        judged("csi: {driver: Secrets-Store.csi.k8s.io}", 0);
    }

    #[test]
    fn files() {
        judged("configMap: {name: a, defaultMode: 0777}", 0);
        judged("configMap: {name: a, defaultMode: 777}", 1);
        judged("configMap: {name: a, items: [{key: a, path: b/c..}, {key: a, path: b}]}", 0);
        judged("configMap: {items: [{key: '', path: /b}]}", 3);
        judged("secret: {secretName: a, items: [{key: a, path: ../b}, {key: a, path: ..b, mode: -1}]}", 3);
        judged("downwardAPI: {items: [{path: a, fieldRef: {fieldPath: metadata.labels}}]}", 0);
    }

    #[test]
    fn projections() {
        judged("projected: {sources: [{configMap: {name: a}, secret: {name: b}}]}", 1);
        judged("projected: {sources: [{serviceAccountToken: {path: a, expirationSeconds: 599}}]}", 1);
        judged("projected: {sources: [{serviceAccountToken: {path: a}}, {configMap: {name: a}}]}", 0);
        let file = "{name: a, items: [{key: a, path: b}]}";
        judged(&format!("projected: {{sources: [{{configMap: {file}}}, {{secret: {file}}}]}}"), 1);
        judged("projected: {sources: [{configMap: {name: a, items: [{key: a, path: c}, {key: b, path: c}]}}]}", 1);
    }

    #[test]
    fn claims_of_pods() {
        let claim = "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}";
        judged(&format!("ephemeral: {{volumeClaimTemplate: {{metadata: {{labels: {{a: b}}}}, {claim}}}}}"), 0);
        judged(&format!("ephemeral: {{volumeClaimTemplate: {{metadata: {{name: b}}, {claim}}}}}"), 1);
    }
}
