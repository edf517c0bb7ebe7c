//! Where containers see volumes.

use super::super::judge::Judge;
use super::pod::Pod;
use crate::fields::{filled, given, is_set, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::name;
use vigil_yaml::words::{list, nearest};
use vigil_yaml::{Node, Quoted};

rules! {
    MOUNT "container-mount" Error Server "every `volumeMount` names a volume of the pod, and has its own `mountPath`"
}

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>, container: &Node) {
    let mut places = HashSet::new();
    for mount in items(container, "volumeMounts") {
        volume(judge, pod, mount);
        judge.required(&MOUNT, mount, "mountPath");
        if let Some((node, path)) = filled(mount, "mountPath").filter(|(_, path)| !places.insert(*path)) {
            judge
                .add(&MOUNT, node, format!("an earlier mount is at {}", Quoted(path)))
                .help("one would hide the other; use `subPath`, or a `projected` volume of several sources");
        }
        for key in ["subPath", "subPathExpr"] {
            if let Some((node, _)) = filled(mount, key) {
                judge.descending(&MOUNT, node);
            }
        }
        if let (Some(_), Some((node, _))) = (filled(mount, "subPath"), filled(mount, "subPathExpr")) {
            judge.add(&MOUNT, node, "a mount with both `subPath` and `subPathExpr`").help("keep one of the two");
        }
        propagation(judge, container, mount);
    }
    let mut names: HashSet<&str> =
        items(container, "volumeMounts").iter().filter_map(|mount| Some(filled(mount, "name")?.1)).collect();
    for device in items(container, "volumeDevices") {
        volume(judge, pod, device);
        judge.required(&MOUNT, device, "devicePath");
        if let Some((node, name)) = filled(device, "name") {
            if !names.insert(name) {
                judge
                    .add(&MOUNT, node, format!("{} is mounted already", Quoted(name)))
                    .help("a container sees a volume as a file system or as a device, once");
            }
            let source = pod.volumes.iter().find(|(known, _)| *known == name).map(|(_, node)| *node);
            if source.is_some_and(|node| {
                !["persistentVolumeClaim", "ephemeral", "spec"].iter().any(|key| given(node, key).is_some())
            }) {
                judge
                    .add(&MOUNT, node, format!("{} is no claim, and cannot be a device", Quoted(name)))
                    .label("expected a volume with `persistentVolumeClaim` or `ephemeral`");
            }
        }
        if let Some((node, path)) = filled(device, "devicePath") {
            if !places.insert(path) {
                judge.add(&MOUNT, node, format!("an earlier mount is at {}", Quoted(path)));
            } else if name::goes_up(path) {
                judge.add(&MOUNT, node, format!("{} goes up", Quoted(path))).label("expected a path without `..`");
            }
        }
    }
}

/// The volume that a mount names.
fn volume(judge: &mut Judge<'_, '_>, pod: &Pod<'_>, mount: &Node) {
    let Some(node) = mount.get("name") else { return };
    let Some(name) = node.text() else { return };
    let mut known: Vec<&str> = pod.volumes.iter().map(|(name, _)| *name).collect();
    if known.contains(&name) {
        return;
    }
    let finding = judge.add(&MOUNT, node, format!("the pod has no volume {}", Quoted(name)));
    known.sort_unstable();
    if let Some(meant) = nearest(name, known.iter().copied()) {
        finding.label(format!("did you mean `{meant}`?"));
    }
    match known.as_slice() {
        [] => finding.help("it has none; add it under `volumes:`"),
        known if known.len() > 8 => finding.help("add it under `volumes:`"),
        known => finding.help(format!("it has {}; add another under `volumes:`", list(known, "and"))),
    };
}

fn propagation(judge: &mut Judge<'_, '_>, container: &Node, mount: &Node) {
    judge.set_to_one_of(&MOUNT, mount.get("mountPropagation"), &["None", "HostToContainer", "Bidirectional"]);
    let propagation = filled(mount, "mountPropagation");
    let is_privileged = given(container, "securityContext").is_some_and(|context| is_set(context, "privileged"));
    if let Some((node, _)) = propagation.filter(|(_, text)| *text == "Bidirectional" && !is_privileged) {
        judge
            .add(&MOUNT, node, "only privileged containers can show their mounts to the node")
            .help("set `securityContext.privileged: true`, or use `HostToContainer`");
    }
    judge.set_to_one_of(&MOUNT, mount.get("recursiveReadOnly"), &["Disabled", "IfPossible", "Enabled"]);
    if let Some((node, _)) =
        filled(mount, "recursiveReadOnly").filter(|(_, text)| matches!(*text, "Enabled" | "IfPossible"))
    {
        if !is_set(mount, "readOnly") {
            judge
                .add(&MOUNT, node, "`recursiveReadOnly` of a mount that is not read-only")
                .help("set `readOnly: true`");
        } else if propagation.is_some_and(|(_, text)| text != "None") {
            judge.add(&MOUNT, node, "`recursiveReadOnly` with `mountPropagation`").help("remove one of the two");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::broken_in;
    use super::MOUNT;

    #[test]
    fn mounts() {
        for (mounts, times) in [
            ("volumeMounts: [{name: a, mountPath: /a}, {name: a, mountPath: /b, subPath: a/..b}]", 0),
            ("volumeMounts: [{name: c, mountPath: /a}]", 1),
            ("volumeMounts: [{name: a, mountPath: ''}]", 1),
            ("volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /a}]", 1),
            ("volumeMounts: [{name: a, mountPath: /a, subPath: /b}, {name: a, mountPath: /b, subPath: a/../b}]", 2),
            ("volumeMounts: [{name: a, mountPath: /a, subPath: b, subPathExpr: c}]", 1),
            ("volumeMounts: [{name: a, mountPath: /a, mountPropagation: Bidirectional}]", 1),
            (
                "volumeMounts: [{name: a, mountPath: /a, mountPropagation: Bidirectional}], securityContext: {privileged: true}",
                0,
            ),
            ("volumeMounts: [{name: a, mountPath: /a, recursiveReadOnly: Enabled}]", 1),
            ("volumeMounts: [{name: a, mountPath: /a, readOnly: true, recursiveReadOnly: Enabled}]", 0),
            ("volumeDevices: [{name: b, devicePath: /a}]", 0),
            ("volumeDevices: [{name: a, devicePath: /a}]", 1),
            ("volumeDevices: [{name: b, devicePath: /a}], volumeMounts: [{name: b, mountPath: /a}]", 2),
        ] {
            let volumes = "[{name: a, emptyDir: {}}, {name: b, persistentVolumeClaim: {claimName: b}}]";
            broken_in(&format!("{{volumes: {volumes}, containers: [{{name: a, image: a, {mounts}}}]}}"), &MOUNT, times);
        }
    }
}
