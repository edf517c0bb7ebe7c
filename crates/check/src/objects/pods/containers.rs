//! Containers: their names, images and ports, and what each sort of them can have.

use super::super::judge::{Judge, LABEL};
use super::pod::{Pod, Role};
use crate::fields::{filled, given, is_set, items, written};
use crate::rule::rules;
use std::collections::HashSet;
use vigil_forms::image::{Image, Wrong};
use vigil_forms::name;
use vigil_yaml::{Data, Node, Quoted};

rules! {
    NAME "container-name" Error Server "every pod has containers, and their names are valid and unique"
    IMAGE "container-image" Error Server "every container has a valid image"
    IMAGE_NAME "image-name" Error Cluster "every image has a name that a container runtime reads"
    IMAGE_TAG "image-tag" Note Nobody "every image names one version"
    PORT "container-port" Error Server "every `containerPort` is from 1 to 65535, and port names are unique"
    PORT_TWICE "container-port-duplicate" Warning Server "no container has the same port twice"
    ROLE "container-role" Error Server "init and ephemeral containers have only the fields that they may have"
    VALUE "container-value" Error Server "enumerated fields of containers have a known value"
}

/// Fields that containers have which go on running, and others not.
const RUNNING: [&str; 4] = ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];

pub(super) fn check(judge: &mut Judge<'_, '_>, pod: &Pod<'_>) {
    if let Some(list) =
        pod.spec().get("containers").filter(|list| matches!(&list.data, Data::List(items) if items.is_empty()))
    {
        judge.add(&NAME, list, "a pod without containers").label("expected at least one");
    }
    let mut names = HashSet::new();
    let mut host_ports = HashSet::new();
    for (role, container) in &pod.containers {
        name(judge, container, &mut names);
        image(judge, container);
        if matches!(role, Role::Init | Role::Sidecar) {
            // They run one after the other.
            ports(judge, pod, container, &mut HashSet::new());
        } else {
            ports(judge, pod, container, &mut host_ports);
        }
        roles(judge, *role, container);
        restarts(judge, *role, container);
        values(judge, container);
    }
}

fn name<'o>(judge: &mut Judge<'_, '_>, container: &'o Node, names: &mut HashSet<&'o str>) {
    let Some(node) = container.get("name") else { return };
    let Some(name) = node.text() else { return };
    if !name::is_dns1123_label(name) {
        let finding = judge.add(&NAME, node, format!("{} is no name for a container", Quoted(name)));
        finding.label(LABEL);
        let better = name.to_ascii_lowercase().replace(['_', ' ', '.'], "-");
        if name::is_dns1123_label(&better) {
            finding.help(format!("write `{better}`"));
        }
    } else if !names.insert(name) {
        judge
            .add(&NAME, node, format!("an earlier container is called {}", Quoted(name)))
            .help("init containers and containers need names of their own");
    }
}

fn image(judge: &mut Judge<'_, '_>, container: &Node) {
    let Some(node) = given(container, "image") else {
        let at = container.get("image").unwrap_or(container);
        judge.add(&IMAGE, at, "a container without an image").help("set `image:`");
        return;
    };
    match node.text() {
        Some("") => {
            judge.add(&IMAGE, node, "a container without an image").label("expected a reference such as `nginx:1.27`");
        }
        Some(text) if text.trim() != text => {
            judge
                .add(&IMAGE, node, format!("the image {} has spaces around it", Quoted(text)))
                .label("expected none: pods with it are refused");
        }
        // What takes the place of a mark is not known here.
        Some(text) if !text.contains("{{") => image_name(judge, node, text),
        _ => {}
    }
}

/// The name of an image, which a server takes as it is and a kubelet does not.
fn image_name(judge: &mut Judge<'_, '_>, node: &Node, text: &str) {
    match Image::parse(text) {
        Err(wrong) => {
            let label = match wrong {
                Wrong::Registry => "expected a host in place of the registry",
                Wrong::Capital => "expected lower case",
                Wrong::Tag => "expected a tag of letters, digits, `_`, `.` and `-`",
                Wrong::Digest => "expected a digest such as `sha256:` and 64 digits",
                Wrong::Repository | Wrong::NoTag | Wrong::Latest => {
                    "expected a name such as `quay.io/prometheus/prometheus:v3.8.1`"
                }
            };
            let message = format!("no container runtime reads the image {}", Quoted(text));
            let finding = judge.add(&IMAGE_NAME, node, message).label(label);
            finding.help("correct it: its pods stay in `InvalidImageName`");
        }
        Ok(image) if image.digest.is_none() && matches!(image.tag, None | Some("latest")) => {
            let message = match image.tag {
                None => format!("the image {} has no tag, which is `latest`", Quoted(text)),
                Some(_) => format!("the image {} is another one tomorrow", Quoted(text)),
            };
            judge.add(&IMAGE_TAG, node, message).help("name a version, or a digest");
        }
        Ok(_) => {}
    }
}

fn ports<'o>(
    judge: &mut Judge<'_, '_>,
    pod: &Pod<'_>,
    container: &'o Node,
    host_ports: &mut HashSet<(&'o str, &'o str, i64)>,
) {
    let mut names = HashSet::new();
    let mut seen = HashSet::new();
    for port in items(container, "ports") {
        let protocol = filled(port, "protocol").map_or("TCP", |(_, text)| text);
        judge.one_of(&PORT, port.get("protocol"), &["TCP", "UDP", "SCTP"]);
        judge.range(&PORT, port.get("containerPort"), 1..=65535);
        // Zero is none.
        judge.range(&PORT, port.get("hostPort"), 0..=65535);
        if let Some((node, name)) = filled(port, "name") {
            if !name::is_port_name(name) {
                judge
                    .add(&PORT, node, format!("{} is no name for a port", Quoted(name)))
                    .label("expected at most 15 of a-z, 0-9 and single `-` inside, with a letter among them");
            } else if !names.insert(name) {
                judge
                    .add(&PORT, node, format!("an earlier port is called {}", Quoted(name)))
                    .help("give it another name");
            }
        }
        let number = |key: &str| port.get(key).and_then(Node::integer);
        let Some(number_inside) = number("containerPort") else { continue };
        let address = filled(port, "hostIP").map_or("", |(_, text)| text);
        let shares = is_set(pod.spec(), "hostNetwork");
        let on_host = number("hostPort").filter(|number| *number != 0).or(shares.then_some(number_inside));
        if let Some(on_host) = on_host {
            if !host_ports.insert((protocol, address, on_host)) {
                judge
                    .add(&PORT, port, format!("an earlier port takes port {on_host} of the node for {protocol}"))
                    .help("a port of a node can be taken once");
            }
            if shares && on_host != number_inside {
                judge
                    .add(&PORT, port, format!("port {number_inside} cannot be port {on_host} of the node"))
                    .label("expected the same number")
                    .help("with `hostNetwork: true` the container's ports are the node's: leave `hostPort` out");
            }
        }
        if !seen.insert((number_inside, protocol, on_host, address)) {
            judge
                .add(&PORT_TWICE, port, format!("an earlier port of the container is {number_inside} for {protocol}"))
                .help("keep one of the two: server-side apply cannot tell them apart");
        }
    }
}

fn roles(judge: &mut Judge<'_, '_>, role: Role, container: &Node) {
    let refused: &[&str] = match role {
        Role::Init => &RUNNING,
        Role::Ephemeral => {
            judge
                .add(&ROLE, container, "ephemeral containers can only be added to a pod that runs")
                .help("remove it, and use `kubectl debug`");
            return;
        }
        Role::Sidecar | Role::Main => &[],
    };
    for key in refused {
        if let Some(entry) = container.entry(key).filter(|entry| !entry.value.is_null()) {
            judge
                .add(&ROLE, entry, format!("an init container has no `{key}`"))
                .help("it ends before anybody could ask; set `restartPolicy: Always` if it shall go on running");
        }
    }
}

/// The policy by which a container restarts on its own. Until 1.34 only init containers have one, which makes them
/// side-cars; since 1.35 every container may, with rules for exit codes beside it.
fn restarts(judge: &mut Judge<'_, '_>, role: Role, container: &Node) {
    let Some((node, policy)) = filled(container, "restartPolicy") else {
        if let Some(entry) = container.entry("restartPolicyRules").filter(|entry| !entry.value.items().is_empty())
            && judge.since(35)
        {
            judge
                .add(&ROLE, entry, "`restartPolicyRules` without `restartPolicy`")
                .help("set `restartPolicy:` of the container, for the exit codes that no rule is about");
        }
        return;
    };
    if judge.since(35) {
        return;
    }
    match role {
        Role::Main => {
            judge
                .add(&ROLE, node, "`restartPolicy` of a container that is not an init container")
                .label("since Kubernetes 1.35")
                .help("remove it; `restartPolicy` of the pod is for all its containers");
        }
        Role::Init if matches!(policy, "OnFailure" | "Never") => {
            judge
                .add(&ROLE, node, format!("{} is not allowed here", Quoted(policy)))
                .label("expected `Always`; other policies of a container since Kubernetes 1.35");
        }
        _ => {}
    }
}

fn values(judge: &mut Judge<'_, '_>, container: &Node) {
    judge.one_of(&VALUE, container.get("imagePullPolicy"), &["Always", "IfNotPresent", "Never"]);
    judge.one_of(&VALUE, container.get("terminationMessagePolicy"), &["File", "FallbackToLogsOnError"]);
    judge.set_to_one_of(&VALUE, container.get("restartPolicy"), &["Always", "OnFailure", "Never"]);
    let mut resized = HashSet::new();
    for policy in items(container, "resizePolicy") {
        judge.one_of(&VALUE, policy.get("resourceName"), &["cpu", "memory"]);
        judge.one_of(&VALUE, policy.get("restartPolicy"), &["NotRequired", "RestartContainer"]);
        if let Some((node, name)) = filled(policy, "resourceName").filter(|(_, name)| !resized.insert(*name)) {
            judge.add(&VALUE, node, format!("an earlier policy is for {}", Quoted(name))).help("keep one of the two");
        }
    }
    for rule in items(container, "restartPolicyRules") {
        judge.one_of(&VALUE, rule.get("action"), &["Restart", "RestartAllContainers"]);
        match given(rule, "exitCodes") {
            Some(codes) => judge.one_of(&VALUE, codes.get("operator"), &["In", "NotIn"]),
            None => {
                judge.within(&VALUE, rule, "a rule without `exitCodes`").label("expected `exitCodes`");
            }
        }
    }
    if let Some(node) = given(container, "terminationMessagePath").filter(|node| written(node).contains('\0')) {
        judge.add(&VALUE, node, "a path with a zero byte");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{broken_in, container, holds_in};
    use super::{IMAGE, NAME, PORT, PORT_TWICE, ROLE, VALUE};

    #[test]
    fn names() {
        holds_in("{containers: [{name: a, image: a}, {name: 1-b, image: a}]}", &NAME);
        broken_in("{containers: [{name: a, image: a}, {name: a, image: a}]}", &NAME, 1);
        broken_in("{initContainers: [{name: a, image: a}], containers: [{name: a, image: a}]}", &NAME, 1);
        broken_in("{containers: []}", &NAME, 1);
        broken_in(&format!("{{containers: [{{name: {}, image: a}}]}}", "a".repeat(64)), &NAME, 1);
        holds_in(&format!("{{containers: [{{name: {}, image: a}}]}}", "a".repeat(63)), &NAME);
    }

    #[test]
    fn images() {
        broken_in("{containers: [{name: a}]}", &IMAGE, 1);
        broken_in("{containers: [{name: a, image: ''}]}", &IMAGE, 1);
        broken_in("{containers: [{name: a, image: 'a '}]}", &IMAGE, 1);
        broken_in("{containers: [{name: a, image: }]}", &IMAGE, 1);
    }

    #[test]
    fn ports() {
        container("ports: [{containerPort: 1, name: a}, {containerPort: 65535, protocol: UDP, hostPort: 0}]", &PORT, 0);
        container("ports: [{containerPort: 0}, {containerPort: 65536}, {containerPort: 1, hostPort: -1}]", &PORT, 3);
        container("ports: [{containerPort: 1, name: abcdefghijklmnop}, {containerPort: 2, protocol: tcp}]", &PORT, 2);
        container("ports: [{containerPort: 1, name: a}, {containerPort: 2, name: a}]", &PORT, 1);
        container("ports: [{containerPort: 1, hostPort: 1}, {containerPort: 2, hostPort: 1}]", &PORT, 1);
        container("ports: [{containerPort: 1, hostPort: 1}, {containerPort: 1, hostPort: 1, protocol: UDP}]", &PORT, 0);
        container("ports: [{containerPort: 1}, {containerPort: 1, protocol: TCP}]", &PORT_TWICE, 1);
        container("ports: [{containerPort: 1}, {containerPort: 1, protocol: UDP}]", &PORT_TWICE, 0);
        broken_in(
            "{hostNetwork: true, containers: [{name: a, image: a, ports: [{containerPort: 1, hostPort: 2}]}]}",
            &PORT,
            1,
        );
        let shared =
            |ports: &str| format!("{{hostNetwork: true, containers: [{{name: a, image: a, ports: [{ports}]}}]}}");
        holds_in(&shared("{containerPort: 1}, {containerPort: 1, protocol: UDP}"), &PORT);
        broken_in(&shared("{containerPort: 1, name: a}, {containerPort: 1, name: b}"), &PORT, 1);
    }

    #[test]
    fn roles_and_values() {
        let init = |rest: &str| {
            format!("{{initContainers: [{{name: b, image: a, {rest}}}], containers: [{{name: a, image: a}}]}}")
        };
        let probe = "readinessProbe: {exec: {command: [a]}}";
        broken_in(&init(probe), &ROLE, 1);
        holds_in(&init(&format!("restartPolicy: Always, {probe}")), &ROLE);
        holds_in(&init("readinessProbe: null"), &ROLE);
        container("imagePullPolicy: always", &VALUE, 1);
        container("imagePullPolicy: '', terminationMessagePolicy: File", &VALUE, 0);
    }
}
