//! Security contexts, of pods and of containers.

use super::super::judge::Judge;
use super::pod::Pod;
use crate::fields::{filled, given, is_set, items};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::name;
use vigil_yaml::{Node, Quoted};

rules! {
    SECURITY "container-security" Error Server "no `securityContext` contradicts itself"
    ROOT "container-root" Error Cluster "no container has `runAsNonRoot: true` and runs as user 0"
}

/// The largest id of users and groups.
const LARGEST_ID: i64 = i32::MAX as i64;
/// The annotation of old by which AppArmor is asked for; the name of a container follows.
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>) {
    let of_pod = given(pod.spec(), "securityContext");
    if let Some(context) = of_pod {
        both(judge, context);
        only_pod(judge, context);
        shared(judge, pod.spec(), context);
        of_other_system(judge, pod.spec(), context, &OF_LINUX_PODS);
    }
    let shares_users = judge.since(30) && pod.spec().get("hostUsers").and_then(Node::boolean) != Some(false);
    for (_, container) in &pod.containers {
        let context = given(container, "securityContext");
        if let Some(context) = context {
            of_other_system(judge, pod.spec(), context, &OF_LINUX_CONTAINERS);
            both(judge, context);
            only_container(judge, context, shares_users);
        }
        root(judge, container, [context, of_pod]);
    }
    app_armor(judge, pod);
}

/// What pods and containers can both set.
fn both(judge: &mut Judge<'_, '_>, context: &Node) {
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        judge.range(&SECURITY, context.get(key), 0..=LARGEST_ID);
    }
    for key in ["seccompProfile", "appArmorProfile"] {
        let Some(profile) = given(context, key) else { continue };
        judge.one_of(&SECURITY, profile.get("type"), &["Localhost", "RuntimeDefault", "Unconfined"]);
        judge.not_empty(&SECURITY, profile, "type");
        let is_local = filled(profile, "type").is_some_and(|(_, text)| text == "Localhost");
        match given(profile, "localhostProfile") {
            None if is_local => judge.required(&SECURITY, profile, "localhostProfile"),
            Some(node) if is_local && key == "seccompProfile" => judge.descending(&SECURITY, node),
            Some(node) if filled(profile, "type").is_some() && !is_local => {
                judge
                    .add(&SECURITY, node, "a profile of the node that is not used")
                    .help("set `type: Localhost`, or remove it");
            }
            _ => {}
        }
    }
}

fn only_pod(judge: &mut Judge<'_, '_>, context: &Node) {
    judge.set_to_one_of(&SECURITY, context.get("fsGroupChangePolicy"), &["Always", "OnRootMismatch"]);
    judge.set_to_one_of(&SECURITY, context.get("supplementalGroupsPolicy"), &["Merge", "Strict"]);
    judge.set_to_one_of(&SECURITY, context.get("seLinuxChangePolicy"), &["MountOption", "Recursive"]);
    for group in items(context, "supplementalGroups") {
        if let Some(number) = group.integer().filter(|number| !(0..=LARGEST_ID).contains(number)) {
            judge.add(&SECURITY, group, format!("no group is {number}")).label(format!("expected 0 to {LARGEST_ID}"));
        }
    }
    let mut names = HashSet::new();
    for sysctl in items(context, "sysctls") {
        let Some(node) = sysctl.get("name") else { continue };
        let Some(name) = node.text() else { continue };
        if !is_sysctl(name) {
            judge
                .add(&SECURITY, node, format!("{} is no name of a sysctl", Quoted(name)))
                .label("expected words of a-z, 0-9, `-` and `_`, with `.` or `/` between them");
        } else if !names.insert(name) {
            judge.add(&SECURITY, node, format!("{} is set above already", Quoted(name))).help("keep one of the two");
        }
    }
}

/// Settings that Windows does not have: `validateWindows` of Kubernetes 1.37.
const OF_LINUX_PODS: [&str; 9] = [
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
];
const OF_LINUX_CONTAINERS: [&str; 10] = [
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];

/// Settings of an operating system that the pod says it does not run on.
fn of_other_system(judge: &mut Judge<'_, '_>, spec: &Node, context: &Node, of_linux: &[&str]) {
    let (name, keys): (_, &[&str]) = match spec.at(&["os", "name"]).and_then(Node::text) {
        Some("windows") => ("Windows", of_linux),
        Some("linux") => ("Linux", &["windowsOptions"]),
        _ => return,
    };
    for entry in keys.iter().filter_map(|key| context.entry(key)).filter(|entry| !entry.value.is_null()) {
        judge
            .add(&SECURITY, entry, format!("`{}` of a pod for {name}", entry.key.text))
            .help("remove it, or correct `os.name`");
    }
}

/// Settings of the kernel that a pod has not for itself: `ValidateHostSysctl` of Kubernetes 1.37.
fn shared(judge: &mut Judge<'_, '_>, spec: &Node, context: &Node) {
    for node in items(context, "sysctls").iter().filter_map(|sysctl| sysctl.get("name")) {
        let name = node.text().unwrap_or_default().replace('/', ".");
        let is_of_ipc = name.starts_with("kernel.shm")
            || name.starts_with("kernel.msg")
            || name == "kernel.sem"
            || name.starts_with("fs.mqueue.");
        for (key, is_its) in [("hostIPC", is_of_ipc), ("hostNetwork", name.starts_with("net."))] {
            if is_its && is_set(spec, key) {
                judge
                    .add(&SECURITY, node, format!("{} of a pod with `{key}`", Quoted(&name)))
                    .help("remove it: it would be set for the whole node");
            }
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let word = |word: &str| {
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        word.starts_with(edge) && word.ends_with(edge) && word.chars().all(|c| edge(c) || matches!(c, '-' | '_'))
    };
    name.len() <= name::LONGEST_SUBDOMAIN && name.split(['.', '/']).all(word)
}

fn only_container(judge: &mut Judge<'_, '_>, context: &Node, shares_users: bool) {
    // Older servers drop it.
    if judge.since(33) {
        judge.set_to_one_of(&SECURITY, context.get("procMount"), &["Default", "Unmasked"]);
    }
    if let Some(node) = context.get("procMount").filter(|node| shares_users && node.text() == Some("Unmasked")) {
        judge
            .add(&SECURITY, node, "an unmasked `/proc` in a pod that shares the users of its node")
            .label("expected `hostUsers: false` for the pod")
            .help("Kubernetes 1.30 and later refuse it otherwise");
    }
    if let Some(node) = context.get("allowPrivilegeEscalation").filter(|node| node.boolean() == Some(false))
        && is_set(context, "privileged")
    {
        judge
            .add(&SECURITY, node, "`allowPrivilegeEscalation: false` beside `privileged: true`")
            .help("remove `privileged: true`, or this");
    }
}

/// A container that must not run as root, and does: it is never started.
fn root(judge: &mut Judge<'_, '_>, container: &Node, contexts: [Option<&Node>; 2]) {
    let first = |key: &str| contexts.into_iter().flatten().find_map(|context| given(context, key));
    let refuses_root = first("runAsNonRoot").and_then(Node::boolean) == Some(true);
    let Some(user) = first("runAsUser").filter(|user| refuses_root && user.integer() == Some(0)) else { return };
    let name = filled(container, "name").map_or("", |(_, name)| name);
    judge
        .add(&ROOT, user, format!("the container {} runs as root, and must not", Quoted(name)))
        .label("expected another user, as `runAsNonRoot` is true");
}

fn app_armor(judge: &mut Judge<'_, '_>, pod: &Pod<'_>) {
    let Some(annotations) = pod.template.node.at(&["metadata", "annotations"]) else { return };
    for entry in annotations.entries() {
        let Some(name) = entry.key.text.strip_prefix(APP_ARMOR) else { continue };
        let is_there = |(_, node): &(_, &Node)| filled(node, "name").is_some_and(|(_, known)| known == name);
        if !pod.containers.iter().any(is_there) {
            judge.add(&SECURITY, entry, format!("the pod has no container {}", Quoted(name)));
        }
        let Some(profile) = entry.value.text() else { continue };
        if !matches!(profile, "" | "runtime/default" | "unconfined") && !profile.starts_with("localhost/") {
            judge
                .add(&SECURITY, &entry.value, format!("{} is no profile of AppArmor", Quoted(profile)))
                .label("expected `runtime/default`, `localhost/…` or `unconfined`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken_in, container};
    use super::{ROOT, SECURITY};

    #[test]
    fn containers() {
        for (text, times) in [
            ("runAsUser: 2147483647, runAsGroup: 0", 0),
            ("runAsUser: 2147483648, runAsGroup: -1", 2),
            ("privileged: true, allowPrivilegeEscalation: false", 1),
            ("privileged: false, allowPrivilegeEscalation: false", 0),
            ("seccompProfile: {type: RuntimeDefault}", 0),
            ("seccompProfile: {type: runtimeDefault}", 1),
            ("seccompProfile: {type: Localhost}", 1),
            ("seccompProfile: {type: Localhost, localhostProfile: a/b.json}", 0),
            ("seccompProfile: {type: Localhost, localhostProfile: /b.json}", 1),
            ("appArmorProfile: {type: Localhost, localhostProfile: /b}", 0),
            ("appArmorProfile: {type: Unconfined, localhostProfile: b}", 1),
            ("procMount: unmasked", 1),
        ] {
            container(&format!("securityContext: {{{text}}}"), &SECURITY, times);
        }
        container("securityContext: {runAsNonRoot: true, runAsUser: 0}", &ROOT, 1);
        container("securityContext: {runAsNonRoot: true, runAsUser: 1}", &ROOT, 0);
    }

    #[test]
    fn pods() {
        for (text, of_container, times) in [
            ("sysctls: [{name: net.ipv4.a_b, value: '1'}, {name: net/core/x, value: '1'}]", "", 0),
            ("sysctls: [{name: A, value: '1'}, {name: a.b, value: '1'}, {name: a.b, value: '1'}]", "", 2),
            ("fsGroup: -1, supplementalGroups: [1, -1], fsGroupChangePolicy: never", "", 3),
        ] {
            let spec = format!(
                "{{securityContext: {{{text}}}, containers: [{{name: a, image: a, securityContext: {{{of_container}}}}}]}}"
            );
            broken_in(&spec, &SECURITY, times);
        }
    }

    #[test]
    fn the_container_says_more_than_the_pod() {
        for (text, of_container, times) in [
            ("runAsNonRoot: true", "runAsUser: 0", 1),
            ("runAsUser: 0", "runAsNonRoot: true", 1),
            ("runAsNonRoot: true", "runAsUser: 0, runAsNonRoot: false", 0),
        ] {
            let spec = format!(
                "{{securityContext: {{{text}}}, containers: [{{name: a, image: a, securityContext: {{{of_container}}}}}]}}"
            );
            broken_in(&spec, &ROOT, times);
        }
    }
}
